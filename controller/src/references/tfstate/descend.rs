//! The way down into one JSON value: only what is asked for is kept, everything else is skipped unread.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::address::Step;

/// The longest value that is taken.
const BYTES_MAX: usize = 16 * 1024;
/// The most names that are kept for a hint.
const NAMES_MAX: usize = 100;
/// From here on a floating-point number may stand for several whole ones.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// What stands at the end of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scrap {
    /// A text, a number or a boolean, as text.
    Text(String),
    /// `null`.
    Null,
    /// A list.
    List,
    /// An object or map, with the names in it.
    Map(Vec<String>),
    /// A number that is not known exactly, or a text that is too long.
    Unfit(&'static str),
    /// The way ends early: so many steps can be gone.
    Absent {
        /// How many steps can be gone.
        depth: usize,
        /// What is there in place of the next step.
        there: There,
    },
    /// Two members of the same name stand on the way.
    Twice,
}

/// What is where a way ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum There {
    /// A value without members and items.
    Plain,
    /// A list of so many items.
    List(usize),
    /// An object or map with these names, or the first of them.
    Map(Vec<String>),
}

/// One way: the whole of it, and how many of its steps have been gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Goal<'a> {
    pub(super) id: usize,
    pub(super) path: &'a [Step],
    pub(super) depth: usize,
}

impl<'a> Goal<'a> {
    fn next(&self) -> Option<&'a Step> {
        self.path.get(self.depth)
    }

    const fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

/// What was found at the end of each way, in the order in which it was found.
pub(super) type Scraps = Vec<(usize, Scrap)>;

/// Goes down into the value that is read next.
pub(super) struct Descend<'a, 's> {
    pub(super) goals: Vec<Goal<'a>>,
    pub(super) scraps: &'s mut Scraps,
}

impl Descend<'_, '_> {
    /// Says the same of every way that ends here, and that the others end too early.
    fn end(self, scrap: &Scrap, there: &There) {
        for goal in self.goals {
            let found = match goal.next() {
                None => scrap.clone(),
                Some(_) => Scrap::Absent { depth: goal.depth, there: there.clone() },
            };
            self.scraps.push((goal.id, found));
        }
    }

    fn plain(self, text: &str) {
        let scrap = if text.len() > BYTES_MAX {
            Scrap::Unfit("it is longer than 16 KiB")
        } else {
            Scrap::Text(text.to_owned())
        };
        self.end(&scrap, &There::Plain);
    }
}

impl<'de> DeserializeSeed<'de> for Descend<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Descend<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.plain(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.plain(&value.to_string());
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.plain(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if value.abs() >= EXACT_MAX {
            self.end(&Scrap::Unfit("it is a number too large to be exact"), &There::Plain);
        } else {
            self.plain(&value.to_string());
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.plain(value);
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.end(&Scrap::Null, &There::Plain);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { goals, scraps } = self;
        let mut count = 0_usize;
        loop {
            let here = |goal: &&Goal<'_>| matches!(goal.next(), Some(Step::Item(item)) if usize::try_from(*item) == Ok(count));
            let inside: Vec<Goal<'_>> =
                goals.iter().filter(here).map(|goal| goal.deeper()).collect();
            let more = if inside.is_empty() {
                items.next_element::<IgnoredAny>()?.is_some()
            } else {
                items.next_element_seed(Descend { goals: inside, scraps: &mut *scraps })?.is_some()
            };
            if !more {
                break;
            }
            count += 1;
        }
        let reached = |goal: &Goal<'_>| matches!(goal.next(), Some(Step::Item(item)) if usize::try_from(*item).is_ok_and(|item| item < count));
        let goals = goals.into_iter().filter(|goal| !reached(goal)).collect();
        Descend { goals, scraps }.end(&Scrap::List, &There::List(count));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { mut goals, scraps } = self;
        let (mut names, mut seen) = (Vec::new(), Vec::new());
        while let Some(name) = members.next_key::<String>()? {
            let leads =
                |goal: &Goal<'_>| matches!(goal.next(), Some(Step::Member(step)) if *step == name);
            let inside: Vec<Goal<'_>> =
                goals.iter().filter(|goal| leads(goal)).map(|goal| goal.deeper()).collect();
            if inside.is_empty() {
                members.next_value::<IgnoredAny>()?;
            } else if seen.contains(&name) {
                scraps.extend(inside.iter().map(|goal| (goal.id, Scrap::Twice)));
                members.next_value::<IgnoredAny>()?;
            } else {
                members.next_value_seed(Descend { goals: inside, scraps: &mut *scraps })?;
                seen.push(name.clone());
            }
            if names.len() < NAMES_MAX {
                names.push(name);
            }
        }
        let reached = |goal: &Goal<'_>| matches!(goal.next(), Some(Step::Member(step)) if seen.contains(step));
        goals.retain(|goal| !reached(goal));
        let there = There::Map(names.clone());
        Descend { goals, scraps }.end(&Scrap::Map(names), &there);
        Ok(())
    }
}
