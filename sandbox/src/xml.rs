//! Writing XML answers.

use std::fmt::Display;

/// An XML text that grows element by element.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// An empty text.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends `<name>value</name>`.
    pub(crate) fn element(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.within(name, |xml| xml.text(value))
    }

    /// Appends a text, escaped.
    pub(crate) fn text(&mut self, text: impl Display) {
        self.0.push_str(&escape(&text.to_string()));
    }

    /// Appends the element when there is a value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.element(name, value),
            None => self,
        }
    }

    /// Appends `<name>`, what `content` writes, and the closing tag.
    pub(crate) fn within(&mut self, name: &str, content: impl FnOnce(&mut Self)) -> &mut Self {
        self.within_attributed(name, "", content)
    }

    /// As `within`, with attributes written out, ` xmlns="..."`.
    pub(crate) fn within_attributed(
        &mut self,
        name: &str,
        attributes: &str,
        content: impl FnOnce(&mut Self),
    ) -> &mut Self {
        for part in ["<", name, attributes, ">"] {
            self.0.push_str(part);
        }
        content(self);
        for part in ["</", name, ">"] {
            self.0.push_str(part);
        }
        self
    }

    /// Appends what another text holds.
    pub(crate) fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// The text with what XML reserves, and control characters that a parser would normalise, as references.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' => escaped.push_str("&#10;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// What stands inside each element of this name; enough for the requests of S3, where no element contains itself.
pub(crate) fn elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(open.as_str()) {
        let Some((inside, after)) = after.split_once(close.as_str()) else { break };
        found.push(inside);
        rest = after;
    }
    found
}

/// The text of the first element of this name.
pub(crate) fn value(text: &str, name: &str) -> Option<String> {
    elements(text, name).first().map(|inside| unescape(inside))
}

/// The text without references; an unknown reference stays as it is.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let reference =
            after.split_once(';').and_then(|(name, after)| Some((letter(name)?, after)));
        let (letter, after) = reference.unwrap_or(('&', after));
        plain.push(letter);
        rest = after;
    }
    plain.push_str(rest);
    plain
}

fn letter(reference: &str) -> Option<char> {
    match reference {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_and_values_are_escaped() {
        let mut xml = Xml::new();
        xml.within("List", |xml| {
            xml.element("Key", "a<b>&\"c'").optional("None", None::<u8>).optional("Size", Some(3));
        });
        assert_eq!(
            xml.finish(),
            "<List><Key>a&lt;b&gt;&amp;&quot;c&apos;</Key><Size>3</Size></List>"
        );
    }

    #[test]
    fn elements_are_found_and_unescaped() {
        let text = "<Delete><Object><Key>a&amp;b&#10;&#x41;&no;</Key></Object><Object><Key>c</Key></Object></Delete>";
        assert_eq!(elements(text, "Object").len(), 2);
        assert_eq!(value(text, "Key").unwrap(), "a&b\nA&no;");
        assert_eq!(value(text, "VersionId"), None);
    }
}
