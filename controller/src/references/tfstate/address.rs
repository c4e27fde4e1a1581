//! What a reference names in a Terraform state, in Terraform's own way of writing addresses.
//!
//! `module.net["eu"].aws_subnet.private[0].id`, `data.aws_vpc.main.tags["Name"]`, `output.url`. An address names one value: the
//! attribute behind the resource is part of it.

use std::fmt;

use super::super::ReferenceError;

/// The longest address.
const LENGTH_MAX: usize = 1024;
/// The most steps into a value, and the most modules around a resource.
const STEPS_MAX: usize = 32;

/// The address of one value of a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// What holds the value.
    pub holder: Holder,
    /// The way from there.
    pub path: Vec<Step>,
}

/// What holds values in a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// An output of the root module; the path starts in its value.
    Output(String),
    /// An instance of a resource; the path starts in its attributes.
    Resource {
        /// The resource.
        resource: ResourceAddress,
        /// Which instance, where `count` or `for_each` makes several.
        index: Option<Key>,
    },
}

/// A resource, whose instances `count` and `for_each` make.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceAddress {
    /// The modules around it, as a state writes them: `module.net["eu"]`; empty for the root module.
    pub module: String,
    /// Whether it is a data source.
    pub is_data: bool,
    /// `aws_subnet`.
    pub kind: String,
    /// `private`.
    pub name: String,
}

/// Which instance of a resource or module, or which item of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `[0]`.
    Number(u64),
    /// `["eu"]`.
    Text(String),
}

/// A step into a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a member of an object or map: `.id`, `["Name"]`.
    Member(String),
    /// Into an item of a list: `[0]`.
    Item(u64),
}

impl Address {
    /// Reads an address; nothing of a state is needed for that.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        Reader::new(text).address().map_err(|(what, hint)| {
            let message = format!("`{}` is not an address in a Terraform state: {what}", cut(text));
            ReferenceError::new(message, hint)
        })
    }
}

/// What is wrong, and what to do about it.
type Fault = (String, Option<String>);

fn fault<T>(what: impl Into<String>, hint: &str) -> Result<T, Fault> {
    Err((what.into(), Some(hint.to_owned())))
}

const FORMS: &str = "write `aws_subnet.private[0].id`, `module.net.aws_vpc.main.id`, `data.TYPE.NAME.ATTRIBUTE` or `output.NAME`";

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    const fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    fn address(mut self) -> Result<Address, Fault> {
        if self.rest.len() > LENGTH_MAX {
            return Err((format!("it has more than {LENGTH_MAX} characters"), None));
        }
        let mut module = String::new();
        let mut first = self.word()?;
        let mut depth = 0;
        while first == "module" {
            depth += 1;
            if depth > STEPS_MAX {
                return Err((format!("it has more than {STEPS_MAX} modules"), None));
            }
            self.dot()?;
            let name = self.word()?;
            if !module.is_empty() {
                module.push('.');
            }
            module.push_str("module.");
            module.push_str(name);
            if let Some(key) = self.key()? {
                module.push_str(&key.to_string());
            }
            self.dot()?;
            first = self.word()?;
        }
        if first == "output" {
            if !module.is_empty() {
                return fault(
                    "a state keeps the outputs of the root module only",
                    "pass the value on with an `output` of the root module",
                );
            }
            self.dot()?;
            let holder = Holder::Output(self.word()?.to_owned());
            return Ok(Address { holder, path: self.path()? });
        }
        if ["var", "local", "each", "count", "self", "path", "terraform"].contains(&first) {
            return fault(
                format!("`{first}` is not kept in a state"),
                "name a resource's attribute or an output",
            );
        }
        let is_data = first == "data";
        let kind = if is_data {
            self.dot()?;
            self.word()?
        } else {
            first
        };
        self.dot()?;
        let name = self.word()?;
        let index = self.key()?;
        let resource =
            ResourceAddress { module, is_data, kind: kind.to_owned(), name: name.to_owned() };
        let path = self.path()?;
        if path.is_empty() {
            let message = format!("it names the resource `{resource}` as a whole");
            return Err((message, Some(format!("add an attribute: `{resource}.id`"))));
        }
        if let Some(Step::Item(_)) = path.first() {
            return fault("an attribute has to follow the instance", FORMS);
        }
        Ok(Address { holder: Holder::Resource { resource, index }, path })
    }

    /// The steps up to the end.
    fn path(&mut self) -> Result<Vec<Step>, Fault> {
        let mut steps = Vec::new();
        while !self.rest.is_empty() {
            if steps.len() == STEPS_MAX {
                return Err((format!("it leads more than {STEPS_MAX} steps deep"), None));
            }
            steps.push(match self.key()? {
                Some(Key::Number(item)) => Step::Item(item),
                Some(Key::Text(member)) => Step::Member(member),
                None => {
                    self.dot()?;
                    Step::Member(self.word()?.to_owned())
                }
            });
        }
        Ok(steps)
    }

    fn dot(&mut self) -> Result<(), Fault> {
        match self.rest.strip_prefix('.') {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None if self.rest.is_empty() => fault("it ends too early", FORMS),
            None => fault(format!("a `.` has to stand before `{}`", cut(self.rest)), FORMS),
        }
    }

    /// A name as Terraform takes them: a letter or `_`, then letters, digits, `_` and `-`.
    fn word(&mut self) -> Result<&'a str, Fault> {
        let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
        let end = self.rest.find(|letter| !is_inside(letter)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let first = word.chars().next();
        match first {
            None if rest.is_empty() => return fault("it ends too early", FORMS),
            None if rest.starts_with('*') => {
                return fault("it names several values", "name one of them: `[0]` or `[\"key\"]`");
            }
            None => return fault(format!("a name has to stand before `{}`", cut(rest)), FORMS),
            Some(first) if first.is_numeric() => {
                return fault(
                    format!("the name `{}` starts with a digit", cut(word)),
                    "write an item of a list as `[0]`",
                );
            }
            Some('-') => {
                return fault(format!("the name `{}` starts with `-`", cut(word)), FORMS);
            }
            Some(_) => {}
        }
        self.rest = rest;
        Ok(word)
    }

    /// `[0]` or `["key"]`, if one stands here.
    fn key(&mut self) -> Result<Option<Key>, Fault> {
        let Some(inside) = self.rest.strip_prefix('[') else { return Ok(None) };
        let (key, rest) = if let Some(text) = inside.strip_prefix('"') {
            let (text, rest) = quoted(text)?;
            (Key::Text(text), rest)
        } else {
            let end = inside.find(|letter: char| !letter.is_ascii_digit());
            let (digits, rest) = inside.split_at(end.unwrap_or(inside.len()));
            if rest.starts_with('*') {
                return fault("it names several values", "name one of them: `[0]` or `[\"key\"]`");
            }
            let is_canonical = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
            match digits.parse() {
                Ok(number) if is_canonical => (Key::Number(number), rest),
                Ok(_) | Err(_) => {
                    return fault(
                        format!("`[{}` is neither a number nor a text", cut(inside)),
                        "write `[0]`, or `[\"key\"]` with double quotes",
                    );
                }
            }
        };
        let Some(rest) = rest.strip_prefix(']') else {
            return fault("a `]` is missing", "write `[0]` or `[\"key\"]`");
        };
        self.rest = rest;
        Ok(Some(key))
    }
}

/// A text up to its closing quote, and what follows. Escapes are those of Terraform's strings.
fn quoted(text: &str) -> Result<(String, &str), Fault> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                let rest = text.get(at + 1..).unwrap_or_default();
                return Ok((value, rest));
            }
            '\\' => {
                let escaped = match letters.next().map(|(_, letter)| letter) {
                    Some('n') => Some('\n'),
                    Some('r') => Some('\r'),
                    Some('t') => Some('\t'),
                    Some(same @ ('"' | '\\')) => Some(same),
                    Some('u') => point(&mut letters, 4),
                    Some('U') => point(&mut letters, 8),
                    Some(_) | None => None,
                };
                let Some(escaped) = escaped else {
                    return fault(
                        "it has an unknown escape",
                        "known are `\\\"`, `\\\\`, `\\n`, `\\r`, `\\t` and `\\uXXXX`",
                    );
                };
                value.push(escaped);
            }
            letter => value.push(letter),
        }
    }
    fault("a closing `\"` is missing", "write `[\"key\"]`")
}

/// The character of so many hexadecimal digits.
fn point(letters: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let mut code = 0_u32;
    for _ in 0..digits {
        code = code.checked_mul(16)? + letters.next()?.1.to_digit(16)?;
    }
    char::from_u32(code)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Holder::Output(name) => write!(f, "output.{name}")?,
            Holder::Resource { resource, index } => {
                write!(f, "{resource}")?;
                if let Some(index) = index {
                    write!(f, "{index}")?;
                }
            }
        }
        self.path.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

impl fmt::Display for ResourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_empty() {
            write!(f, "{}.", self.module)?;
        }
        let data = if self.is_data { "data." } else { "" };
        write!(f, "{data}{}.{}", self.kind, self.name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "[{number}]"),
            Self::Text(text) => write_quoted(f, text),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Item(item) => write!(f, "[{item}]"),
            Self::Member(name) if is_word(name) => write!(f, ".{name}"),
            Self::Member(name) => write_quoted(f, name),
        }
    }
}

fn is_word(name: &str) -> bool {
    let mut reader = Reader::new(name);
    reader.word().is_ok() && reader.rest.is_empty()
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("[\"")?;
    for letter in text.chars() {
        match letter {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
            letter => write!(f, "{letter}")?,
        }
    }
    f.write_str("\"]")
}

/// A text as a message shows it: on one line, not too long.
pub(super) fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(80).collect()
}
