//! Image references, taken apart.

/// `registry/repository:tag@digest`, with its parts apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// Everything before tag and digest.
    pub repository: String,
    /// The tag, where one is written.
    pub tag: Option<String>,
    /// The digest, `sha256:…`, where one is written.
    pub digest: Option<String>,
}

impl ImageReference {
    /// Takes a reference apart; a colon before the last slash belongs to the registry's port.
    pub fn parse(text: &str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let colon = rest.get(name_start..).and_then(|name| name.find(':'));
        let (repository, tag) = match colon.and_then(|at| rest.split_at_checked(name_start + at)) {
            Some((repository, tag)) => (repository, Some(tag.trim_start_matches(':').to_owned())),
            None => (rest, None),
        };
        Self { repository: repository.to_owned(), tag, digest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_come_apart() {
        for (text, repository, tag, digest) in [
            ("nginx", "nginx", None, None),
            ("nginx:1.27", "nginx", Some("1.27"), None),
            ("localhost:5000/shop/web", "localhost:5000/shop/web", None, None),
            ("localhost:5000/shop/web:v1", "localhost:5000/shop/web", Some("v1"), None),
            ("shop/web@sha256:ab", "shop/web", None, Some("sha256:ab")),
            (
                "r.example/shop/web:v2@sha256:ab",
                "r.example/shop/web",
                Some("v2"),
                Some("sha256:ab"),
            ),
        ] {
            let image = ImageReference::parse(text);
            assert_eq!(image.repository, repository, "{text}");
            assert_eq!(image.tag.as_deref(), tag, "{text}");
            assert_eq!(image.digest.as_deref(), digest, "{text}");
        }
    }
}
