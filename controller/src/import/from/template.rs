//! Go templates as ecspresso's files have them, `{{ must_env "TAG" }}`, as references.
//!
//! A template is taken out before the file is parsed, because in between it is no JSON; a mark stands for it until the
//! file's values are known.

use super::super::document::Node;

/// Around the number of a template; both are characters that no text should have.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// A file without its templates.
#[derive(Debug)]
pub(super) struct Expanded {
    /// The text, with marks in their places.
    pub(super) text: String,
    /// What the marks stand for, by their number.
    pub(super) uses: Vec<Use>,
}

/// One template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    /// As it stands in the file.
    pub(super) written: String,
    /// The line on which it begins.
    pub(super) line: u32,
    /// `var:TAG`: what `${…}` holds in its place.
    pub(super) reference: Option<String>,
    /// The value it has where nobody gives another.
    pub(super) default: Option<String>,
    /// What a person has to know about it.
    pub(super) remark: Option<String>,
}

/// Takes the templates out of a text. The error is a line and what is wrong there.
pub(super) fn expand(text: &str, is_json: bool) -> Result<Expanded, (u32, String)> {
    let mut expanded = Expanded { text: String::with_capacity(text.len()), uses: Vec::new() };
    let mut rest = text;
    let mut line = 1;
    let mut quotes = Quotes::default();
    while let Some((before, after)) = rest.split_once("{{") {
        line += lines(before);
        quotes.pass(before);
        expanded.text.push_str(before);
        let Some((inside, following)) = after.split_once("}}") else {
            return Err((line, "the template that begins here is not closed with `}}`".to_owned()));
        };
        let used = read(inside, line)?;
        let mark = format!("{OPEN}{}{CLOSE}", expanded.uses.len());
        match used {
            // A comment leaves nothing.
            None => {}
            Some(used) => {
                let is_bare = is_json && !quotes.is_open;
                expanded.text.push_str(&if is_bare { format!("\"{mark}\"") } else { mark });
                expanded.uses.push(used);
            }
        }
        line += lines(inside);
        rest = following;
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

/// A text with references in the places of its marks; what is a reference already by its looks becomes a literal.
pub(super) fn filled(text: &str, uses: &[Use]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text.replace("${", "$${");
    while let Some((before, number, after)) = mark(&rest) {
        filled.push_str(before);
        match uses.get(number) {
            Some(Use { reference: Some(reference), .. }) => {
                filled.extend(["${", reference.as_str(), "}"]);
            }
            Some(Use { written, .. }) => filled.push_str(written),
            None => {}
        }
        rest = after.to_owned();
    }
    filled.push_str(&rest);
    filled
}

/// The templates that a text uses.
pub(super) fn used<'a>(text: &str, uses: &'a [Use]) -> Vec<&'a Use> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, number, after)) = mark(rest) {
        found.extend(uses.get(number));
        rest = after;
    }
    found
}

/// The one template that a text consists of.
pub(super) fn whole<'a>(text: &str, uses: &'a [Use]) -> Option<&'a Use> {
    match mark(text) {
        Some(("", number, "")) => uses.get(number),
        Some(_) | None => None,
    }
}

/// The text with every template's default in its place; `None` where one has none.
pub(super) fn by_defaults(text: &str, uses: &[Use]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, number, after)) = mark(rest) {
        filled.push_str(before);
        filled.push_str(uses.get(number)?.default.as_deref()?);
        rest = after;
    }
    Some(filled + rest)
}

/// Puts references into all texts of a node.
pub(super) fn fill(node: &mut Node, uses: &[Use]) {
    node.change_texts(&mut |text| *text = filled(text, uses));
}

/// The first mark of a text: what is before it, its number, what is after it.
fn mark(text: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = text.split_once(OPEN)?;
    let (number, after) = rest.split_once(CLOSE)?;
    Some((before, number.parse().ok()?, after))
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// Whether we are inside a text of JSON.
#[derive(Debug, Default)]
struct Quotes {
    is_open: bool,
}

impl Quotes {
    fn pass(&mut self, text: &str) {
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if self.is_open => {
                    letters.next();
                }
                '"' => self.is_open = !self.is_open,
                _ => {}
            }
        }
    }
}

/// What stands between the braces; `None` for a comment.
fn read(inside: &str, line: u32) -> Result<Option<Use>, (u32, String)> {
    let written = format!("{{{{{inside}}}}}");
    let body = inside.trim().trim_start_matches("- ").trim_end_matches(" -").trim();
    if body.starts_with("/*") {
        return Ok(None);
    }
    let words =
        words(body).ok_or_else(|| (line, format!("`{written}` has a quote that is not closed")))?;
    let (call, pipeline) = match words.iter().position(|word| *word == Word::Pipe) {
        Some(pipe) => words.split_at(pipe),
        None => (words.as_slice(), &[][..]),
    };
    let is_harmless = pipeline.iter().all(|word| match word {
        Word::Pipe => true,
        Word::Name(name) => name == "json_escape",
        Word::Text(_) => false,
    });
    let Some((Word::Name(function), arguments)) = call.split_first() else {
        return Err((line, untranslatable(&written)));
    };
    let arguments: Option<Vec<&str>> = arguments
        .iter()
        .map(|word| match word {
            Word::Text(text) => Some(text.as_str()),
            Word::Name(_) | Word::Pipe => None,
        })
        .collect();
    if matches!(
        function.as_str(),
        "if" | "else" | "end" | "range" | "with" | "define" | "template" | "block"
    ) {
        return Err((line, untranslatable(&written)));
    }
    let used = Use { written, line, reference: None, default: None, remark: None };
    Ok(Some(match arguments.filter(|_| is_harmless) {
        Some(arguments) => translated(used, function, &arguments),
        None => used,
    }))
}

fn untranslatable(written: &str) -> String {
    format!(
        "`{written}` cannot be made into a reference; write what `ecspresso render` prints into a file and import that"
    )
}

/// ecspresso's functions, with or without the prefix that a plugin may have.
fn translated(used: Use, function: &str, arguments: &[&str]) -> Use {
    let refer = |reference: String| Use { reference: Some(reference), ..used.clone() };
    let name = |parts: &[&str]| format!("var:{}", parts.join("-"));
    match (function, arguments) {
        ("must_env" | "env", [name]) => refer(format!("var:{name}")),
        ("env", [name, .., default]) => {
            Use { default: Some((*default).to_owned()), ..refer(format!("var:{name}")) }
        }
        (function, [path]) if function.ends_with("tfstate") => refer(format!("tfstate:{path}")),
        (function, [format, values @ ..]) if function.ends_with("tfstatef") => {
            match formatted(format, values) {
                Some(path) => refer(format!("tfstate:{path}")),
                None => used,
            }
        }
        (function, [path]) if function.ends_with("ssm") => refer(format!("ssm:{path}")),
        (function, [secret]) if function.ends_with("secretsmanager_arn") => Use {
            remark: Some(format!("the variable has to hold the ARN of the secret `{secret}`")),
            ..refer(name(&[secret, "arn"]))
        },
        (function, [stack, key])
            if function.ends_with("cfn_output") || function.ends_with("cfn_export") =>
        {
            let remark = format!("the variable has to hold the output `{key}` of `{stack}`");
            Use { remark: Some(remark), ..refer(name(&[stack, key])) }
        }
        (function, [export]) if function.ends_with("cfn_export") => Use {
            remark: Some(format!("the variable has to hold the export `{export}`")),
            ..refer(name(&[export]))
        },
        _ => used,
    }
}

/// `aws_subnet.private['%s'].id` with its values.
fn formatted(format: &str, values: &[&str]) -> Option<String> {
    let mut parts = format.split("%s");
    let mut text = parts.next()?.to_owned();
    let mut values = values.iter();
    for part in parts {
        text.push_str(values.next()?);
        text.push_str(part);
    }
    (values.next().is_none() && !text.contains('%')).then_some(text)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Name(String),
    Text(String),
    Pipe,
}

fn words(body: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut rest = body.trim_start();
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            '"' | '`' => {
                let (text, after) = after.split_once(first)?;
                words.push(Word::Text(text.to_owned()));
                after
            }
            '|' => {
                words.push(Word::Pipe);
                after
            }
            _ => {
                let end =
                    rest.find(|letter: char| letter.is_whitespace() || "|\"`".contains(letter));
                let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
                words.push(Word::Name(name.to_owned()));
                after
            }
        }
        .trim_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> String {
        let expanded = expand(text, false).unwrap();
        filled(&expanded.text, &expanded.uses)
    }

    #[test]
    fn templates_become_references() {
        for (template, reference) in [
            ("{{ must_env `TAG` }}", "${var:TAG}"),
            ("{{ must_env \"TAG\" }}", "${var:TAG}"),
            ("web:{{ env `TAG` `latest` }}-x", "web:${var:TAG}-x"),
            ("{{- must_env `TAG` | json_escape -}}", "${var:TAG}"),
            ("{{ tfstate `aws_subnet.a['x'].id` }}", "${tfstate:aws_subnet.a['x'].id}"),
            ("{{ tfstatef `aws_subnet.a['%s'].id` `az-a` }}", "${tfstate:aws_subnet.a['az-a'].id}"),
            ("{{ prod_tfstate `output.x` }}", "${tfstate:output.x}"),
            ("{{ ssm `/shop/web` }}", "${ssm:/shop/web}"),
            ("{{ secretsmanager_arn `db` }}", "${var:db-arn}"),
            ("{{ cfn_output `net` `Subnet` }}", "${var:net-Subnet}"),
            ("a{{/* comment */}}b", "ab"),
            ("echo ${HOME}", "echo $${HOME}"),
            // What has no counterpart stays as it is.
            ("{{ now }}", "{{ now }}"),
            ("{{ ssm `/list` 1 }}", "{{ ssm `/list` 1 }}"),
            ("{{ must_env `A` | upper }}", "{{ must_env `A` | upper }}"),
        ] {
            assert_eq!(one(template), reference);
        }
    }

    #[test]
    fn what_cannot_be_translated_is_an_error_with_its_line() {
        for text in ["a\n\n{{ if eq `a` `b` }}", "a\nb\n{{ must_env `A }}", "1\n2\n{{ must_env `A`"]
        {
            assert_eq!(expand(text, false).unwrap_err().0, 3, "{text}");
        }
    }

    #[test]
    fn numbers_of_json_are_quoted_until_their_value_is_known() {
        let expanded =
            expand(r#"{"a": {{ env `N` `2` }}, "b": "x\"{{ must_env `M` }}"}"#, true).unwrap();
        let value: serde_json::Value = serde_json::from_str(&expanded.text).unwrap();
        let number = value["a"].as_str().unwrap();
        assert_eq!(whole(number, &expanded.uses).unwrap().default.as_deref(), Some("2"));
        assert_eq!(by_defaults(number, &expanded.uses).as_deref(), Some("2"));
        assert_eq!(by_defaults(value["b"].as_str().unwrap(), &expanded.uses), None);
        assert_eq!(filled(value["b"].as_str().unwrap(), &expanded.uses), "x\"${var:M}");
    }
}
