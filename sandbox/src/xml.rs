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
        self.within(name, |xml| xml.0.push_str(&escape(&value.to_string())))
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
        self.0.push_str(&format!("<{name}{attributes}>"));
        content(self);
        self.0.push_str(&format!("</{name}>"));
        self
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
}
