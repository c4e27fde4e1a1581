//! What a measured value has to be: `>= 0.99`, `< 500ms and >= 1`, `== "ok"`, `<= 1% or <= 1.5 x old`.
//!
//! A comparison is an operator and what is compared with: a number, a text in quotation marks, `true` or `false`. Units only
//! scale: times are counted in seconds (`500ms` is 0.5), shares as fractions (`1%` is 0.01). `and` binds closer than `or`.

use std::fmt;

/// A value that was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// A number: seconds, a fraction, a count, or whatever its provider counts in.
    Number(f64),
    /// A text of JSON.
    Text(String),
    /// A truth value of JSON.
    Flag(bool),
}

/// A condition, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    text: String,
    /// One of these has to hold; of each, everything.
    alternatives: Vec<Vec<Comparison>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Comparison {
    operator: Operator,
    operand: Operand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Number(f64),
    /// So many times the value of the old side.
    Old(f64),
    Text(String),
    Flag(bool),
}

const FORM: &str =
    "write an operator and a value, as `>= 0.99`, `< 500ms`, `== \"ok\"`, `<= 1% or <= 1.5 x old`";

impl Condition {
    /// Reads a condition.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mut alternatives = vec![Vec::new()];
        loop {
            let (comparison, after) = Comparison::parse(rest.trim_start())
                .map_err(|why| format!("`{text}` is no condition: {why}; {FORM}"))?;
            if let Some(conjunction) = alternatives.last_mut() {
                conjunction.push(comparison);
            }
            rest = after.trim_start();
            if rest.is_empty() {
                return Ok(Self { text: text.trim().to_owned(), alternatives });
            }
            if let Some(after) = word(rest, "or") {
                alternatives.push(Vec::new());
                rest = after;
            } else if let Some(after) = word(rest, "and") {
                rest = after;
            } else {
                return Err(format!("`{text}` is no condition: `{rest}` is left over; {FORM}"));
            }
        }
    }

    /// Whether it compares with the old side.
    pub fn names_old(&self) -> bool {
        self.alternatives
            .iter()
            .flatten()
            .any(|comparison| matches!(comparison.operand, Operand::Old(_)))
    }

    /// Whether a value is as it should be; an error says why that cannot be told. What is certain without the part that
    /// cannot be told is certain.
    pub fn holds(&self, value: &Measured, old: Option<f64>) -> Result<bool, String> {
        let mut unclear = None;
        for conjunction in &self.alternatives {
            match all(conjunction, value, old) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(why) => unclear = Some(why),
            }
        }
        unclear.map_or(Ok(false), Err)
    }
}

fn all(conjunction: &[Comparison], value: &Measured, old: Option<f64>) -> Result<bool, String> {
    let mut unclear = None;
    for comparison in conjunction {
        match comparison.holds(value, old) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(why) => unclear = Some(why),
        }
    }
    unclear.map_or(Ok(true), Err)
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Comparison {
    fn parse(text: &str) -> Result<(Self, &str), String> {
        let operators = [
            (">=", Operator::GreaterOrEqual),
            ("<=", Operator::LessOrEqual),
            ("==", Operator::Equal),
            ("!=", Operator::Unequal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let (operator, rest) = operators
            .into_iter()
            .find_map(|(sign, operator)| Some((operator, text.strip_prefix(sign)?)))
            .ok_or_else(|| match text {
                "" => "a comparison is missing".to_owned(),
                _ => format!("`{text}` begins with no operator"),
            })?;
        let (operand, rest) = Operand::parse(rest.trim_start())?;
        let has_order = matches!(operand, Operand::Number(_) | Operand::Old(_));
        if !has_order && !matches!(operator, Operator::Equal | Operator::Unequal) {
            return Err("texts and truth values are only equal or not".to_owned());
        }
        Ok((Self { operator, operand }, rest))
    }

    fn holds(&self, value: &Measured, old: Option<f64>) -> Result<bool, String> {
        let number = |wanted: f64| match value {
            Measured::Number(found) if found.is_finite() => {
                Ok(self.operator.compares(*found, wanted))
            }
            Measured::Number(found) => Err(format!("{found} is no finite number")),
            Measured::Text(_) | Measured::Flag(_) => Err(format!("{value} is no number")),
        };
        let is_equal = match (&self.operand, value) {
            (Operand::Number(wanted), _) => return number(*wanted),
            (Operand::Old(factor), _) => {
                let old = old.ok_or("there is nothing old to compare with")?;
                return number(factor * old);
            }
            (Operand::Text(wanted), Measured::Text(found)) => wanted == found,
            (Operand::Flag(wanted), Measured::Flag(found)) => wanted == found,
            (Operand::Text(_), Measured::Number(_) | Measured::Flag(_)) => {
                return Err(format!("{value} is no text"));
            }
            (Operand::Flag(_), Measured::Number(_) | Measured::Text(_)) => {
                return Err(format!("{value} is neither true nor false"));
            }
        };
        Ok(is_equal == (self.operator == Operator::Equal))
    }
}

impl Operator {
    #[allow(clippy::float_cmp, reason = "`==` asks for exactly the number that is written")]
    fn compares(self, found: f64, wanted: f64) -> bool {
        match self {
            Self::Equal => found == wanted,
            Self::Unequal => found != wanted,
            Self::Less => found < wanted,
            Self::LessOrEqual => found <= wanted,
            Self::Greater => found > wanted,
            Self::GreaterOrEqual => found >= wanted,
        }
    }
}

impl Operand {
    fn parse(text: &str) -> Result<(Self, &str), String> {
        if let Some(quoted) = text.strip_prefix('"') {
            let (inner, rest) = quoted.split_once('"').ok_or("a quotation mark is missing")?;
            return Ok((Self::Text(inner.to_owned()), rest));
        }
        let words =
            [("true", Self::Flag(true)), ("false", Self::Flag(false)), ("old", Self::Old(1.0))];
        for (name, operand) in words {
            if let Some(rest) = word(text, name) {
                return Ok((operand, rest));
            }
        }
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
        let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
        let (digits, rest) = text.split_at(length);
        let number: f64 =
            digits.parse().map_err(|_| format!("`{text}` is no number, text or truth value"))?;
        let times = rest.trim_start();
        let factor_of = word(times, "x").or_else(|| times.strip_prefix('*'));
        if let Some(after) = factor_of {
            let rest = word(after.trim_start(), "old").ok_or("only `old` is multiplied")?;
            return Ok((Self::Old(number), rest));
        }
        let unit =
            rest.find(|c: char| !(c.is_ascii_alphabetic() || c == '%')).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(unit);
        let scale = match unit {
            "" | "s" => 1.0,
            "ms" => 0.001,
            "m" => 60.0,
            "%" => 0.01,
            other => return Err(format!("`{other}` is no unit; there are ms, s, m and %")),
        };
        Ok((Self::Number(number * scale), rest))
    }
}

/// What follows a word, if the text begins with it.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(word)?;
    (!rest.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some(rest)
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(&shown(*number)),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

/// A number with as many digits as say something.
pub(super) fn shown(number: f64) -> String {
    let text = format!("{number:.4}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short.trim_start_matches('-') == "0" && number != 0.0 {
        return format!("{number:e}");
    }
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "callers write `Measured::…(…)`")]
    fn holds(condition: &str, value: Measured, old: Option<f64>) -> Result<bool, String> {
        Condition::parse(condition).unwrap().holds(&value, old)
    }

    #[test]
    fn numbers_compare_in_their_units() {
        for (condition, value, expected) in [
            (">= 0.99", 0.99, true),
            (">= 99%", 0.985, false),
            ("< 500ms", 0.499, true),
            ("<500ms", 0.5, false),
            ("<= 2m", 120.0, true),
            ("> 1s", 1.0, false),
            ("== 3", 3.0, true),
            ("!= 3", 3.0, false),
            ("> -1.5", 0.0, true),
            (">= 1 and <= 5", 6.0, false),
            (">= 1 and <= 5", 5.0, true),
            ("< 1 or > 5 and < 7", 6.0, true),
            ("< 1 or > 5 and < 7", 8.0, false),
        ] {
            assert_eq!(
                holds(condition, Measured::Number(value), None),
                Ok(expected),
                "{condition}"
            );
        }
    }

    #[test]
    fn texts_and_flags_are_equal_or_not() {
        let text = |text: &str| Measured::Text(text.to_owned());
        assert_eq!(holds("== \"ok\"", text("ok"), None), Ok(true));
        assert_eq!(holds("!= \"up and running\"", text("up and running"), None), Ok(false));
        assert_eq!(holds("== true", Measured::Flag(true), None), Ok(true));
        assert_eq!(holds("!= false", Measured::Flag(false), None), Ok(false));
    }

    #[test]
    fn what_cannot_be_compared_is_neither_good_nor_bad() {
        for (condition, value) in [
            ("< 1", Measured::Text("0.5".to_owned())),
            ("< 1", Measured::Number(f64::NAN)),
            ("> 1", Measured::Number(f64::INFINITY)),
            ("== \"ok\"", Measured::Number(1.0)),
            ("== true", Measured::Text("true".to_owned())),
            ("<= 2 x old", Measured::Number(1.0)),
        ] {
            assert!(holds(condition, value.clone(), None).is_err(), "{condition} {value}");
        }
    }

    #[test]
    fn the_old_side_is_a_measure() {
        let value = Measured::Number(0.03);
        assert_eq!(holds("<= 1.5 x old", value.clone(), Some(0.02)), Ok(true));
        assert_eq!(holds("<= 1.4*old", value.clone(), Some(0.02)), Ok(false));
        assert_eq!(holds("<= old", value.clone(), Some(0.03)), Ok(true));
        // What is certain without the old side needs none.
        assert_eq!(holds("<= 5% or <= old", value.clone(), None), Ok(true));
        assert_eq!(holds("> 5% and <= old", value.clone(), None), Ok(false));
        assert!(holds("<= 1% or <= old", value, None).is_err());
        assert!(Condition::parse("<= 1% or <= old").unwrap().names_old());
        assert!(!Condition::parse("== \"old\"").unwrap().names_old());
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_form() {
        for text in [
            "",
            "ok",
            "= 1",
            ">= ",
            "< 5 seconds",
            "< 1 <2",
            "== \"ok",
            "> \"a\"",
            "< true",
            "< 1 and",
            "< 2 x 3",
            "< 1.2.3",
            "<= 5 x older",
        ] {
            let why = Condition::parse(text).unwrap_err();
            assert!(why.contains("write an operator"), "{text}: {why}");
        }
        let nothing = Condition::parse("< 1 and ").unwrap_err();
        assert!(nothing.contains("a comparison is missing"), "{nothing}");
    }

    #[test]
    fn numbers_are_shown_short() {
        for (number, expected) in [
            (1.0, "1"),
            (0.5, "0.5"),
            (0.123_456, "0.1235"),
            (-2.0, "-2"),
            (0.0, "0"),
            (0.000_01, "1e-5"),
        ] {
            assert_eq!(shown(number), expected);
        }
    }
}
