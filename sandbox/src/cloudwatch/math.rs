//! Metric math, as far as it is arithmetic: ids, numbers, `+ - * / ( )`, `FILL(m, 0)`. Anything else is refused by name.
//!
//! An expression has a value wherever every metric in it has one, as at CloudWatch.

use std::collections::BTreeMap;

use super::invalid;
use crate::ApiError;

/// Values by the seconds at which their periods begin.
pub(super) type Series = BTreeMap<i64, f64>;

/// A part of an expression: a constant, or values over time.
#[derive(Debug, Clone)]
enum Part {
    Number(f64),
    Series(Series),
}

/// Computes an expression over the series that are known.
pub(super) fn evaluate(
    expression: &str,
    known: &BTreeMap<String, Series>,
) -> Result<Series, ApiError> {
    let mut reader = Reader { rest: expression.trim(), whole: expression, known };
    let value = reader.sum()?;
    if !reader.rest.is_empty() {
        return Err(reader.refusal());
    }
    match value {
        Part::Series(series) => Ok(series),
        Part::Number(_) => Err(invalid(format!("The expression `{expression}` names no metric."))),
    }
}

struct Reader<'a> {
    rest: &'a str,
    whole: &'a str,
    known: &'a BTreeMap<String, Series>,
}

impl Reader<'_> {
    fn refusal(&self) -> ApiError {
        invalid(format!(
            "The sandbox computes arithmetic and FILL(metric, number) only, not `{}`.",
            self.whole
        ))
    }

    fn takes(&mut self, sign: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn sum(&mut self) -> Result<Part, ApiError> {
        let mut value = self.product()?;
        loop {
            if self.takes('+') {
                value = join(value, self.product()?, |one, other| one + other);
            } else if self.takes('-') {
                value = join(value, self.product()?, |one, other| one - other);
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<Part, ApiError> {
        let mut value = self.atom()?;
        loop {
            if self.takes('*') {
                value = join(value, self.atom()?, |one, other| one * other);
            } else if self.takes('/') {
                value = join(value, self.atom()?, |one, other| one / other);
            } else {
                return Ok(value);
            }
        }
    }

    fn atom(&mut self) -> Result<Part, ApiError> {
        if self.takes('(') {
            let value = self.sum()?;
            return if self.takes(')') { Ok(value) } else { Err(self.refusal()) };
        }
        if self.takes('-') {
            let value = self.atom()?;
            return Ok(join(Part::Number(0.0), value, |zero, other| zero - other));
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        if word == "FILL" {
            return self.fill();
        }
        if let Some(series) = self.known.get(word) {
            return Ok(Part::Series(series.clone()));
        }
        word.parse().map(Part::Number).map_err(|_| self.refusal())
    }

    /// `FILL(metric, number)`: the number wherever other metrics have values and this one has none.
    fn fill(&mut self) -> Result<Part, ApiError> {
        if !self.takes('(') {
            return Err(self.refusal());
        }
        let (filled, _) = (self.sum()?, self.takes(','));
        let by = self.sum()?;
        let (Part::Series(mut series), Part::Number(by), true) = (filled, by, self.takes(')'))
        else {
            return Err(self.refusal());
        };
        for second in self.known.values().flat_map(BTreeMap::keys) {
            series.entry(*second).or_insert(by);
        }
        Ok(Part::Series(series))
    }
}

fn join(one: Part, other: Part, compute: impl Fn(f64, f64) -> f64) -> Part {
    match (one, other) {
        (Part::Number(one), Part::Number(other)) => Part::Number(compute(one, other)),
        (Part::Series(series), Part::Number(number)) => {
            Part::Series(finite(series.into_iter().map(|(at, value)| (at, compute(value, number)))))
        }
        (Part::Number(number), Part::Series(series)) => {
            Part::Series(finite(series.into_iter().map(|(at, value)| (at, compute(number, value)))))
        }
        (Part::Series(series), Part::Series(others)) => {
            let both =
                series.into_iter().filter_map(|(at, value)| Some((at, value, *others.get(&at)?)));
            Part::Series(finite(both.map(|(at, value, other)| (at, compute(value, other)))))
        }
    }
}

/// What is divided by nothing has no value.
fn finite(values: impl Iterator<Item = (i64, f64)>) -> Series {
    values.filter(|(_, value)| value.is_finite()).collect()
}
