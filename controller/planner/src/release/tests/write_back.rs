//! Files before and after a version is written to them.

use crds::{OwnerName, ReleaseName, WriteBack};
use proptest::prelude::*;

use super::harness::spec;
use crate::release::Rule;
use crate::release::write_back::{Change, Edited, Misplaced, Version, edit, is_ours, message};

const IMAGE: &str = "1111.dkr.ecr.eu-west-1.amazonaws.com/shop";
const DIGEST: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
const OLD: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

fn shop() -> ReleaseName {
    "shop".parse().unwrap()
}

fn edit_to(text: &str, tag: &str) -> Result<Option<Edited>, Misplaced> {
    edit(text, &Version { release: &shop(), image: IMAGE, tag, digest: DIGEST })
}

/// `I` stands for the image's repository, `D` for the new digest, `O` for another one, `M` for the marker.
fn written(text: &str) -> String {
    text.replace('I', IMAGE)
        .replace('D', DIGEST)
        .replace('O', OLD)
        .replace('M', "# longshore: release shop")
}

#[test]
fn only_the_marked_scalar_changes() {
    for (before, tag, after) in [
        // The whole image, its tag, its digest, and both.
        (
            "image: I:v1  # longshore: release shop\n",
            "v2",
            "image: I:v2  # longshore: release shop\n",
        ),
        ("tag: v1 M tag", "v2", "tag: v2 M tag"),
        ("digest: O M digest", "v2", "digest: D M digest"),
        ("image: I@O M pinned", "v2", "image: I@D M pinned"),
        ("image: I:v1@O M pinned", "v2", "image: I:v2@D M pinned"),
        ("image: I:v1 M pinned", "v2", "image: I:v2@D M pinned"),
        ("image: I M", "v2", "image: I:v2 M"),
        // Quotes stay as they are; an empty value is filled.
        ("image: \"I:v1\" M", "v2", "image: \"I:v2\" M"),
        ("image: 'I:v1' M", "v2", "image: 'I:v2' M"),
        ("image: \"\" M", "v2", "image: \"I:v2\" M"),
        ("image: '' M pinned", "v2", "image: 'I@D' M pinned"),
        ("tag: \"\" M tag", "v2", "tag: \"v2\" M tag"),
        // In lists, in flow style, with further comments, with blanks of any kind.
        ("  - image: I:v1 M", "v2", "  - image: I:v2 M"),
        ("- I:v1 M", "v2", "- I:v2 M"),
        ("- v1\tM tag ", "v2", "- v2\tM tag "),
        ("  image: I:v1, M", "v2", "  image: I:v2, M"),
        ("{name: app, image: I:v1} M", "v2", "{name: app, image: I:v2} M"),
        ("images: [I:v1] M", "v2", "images: [I:v2] M"),
        ("\"image\": \"I:v1\", M", "v2", "\"image\": \"I:v2\", M"),
        ("{\"image\":\"I:v1\"} M", "v2", "{\"image\":\"I:v2\"} M"),
        ("image = \"I:v1\" M", "v2", "image = \"I:v2\" M"),
        ("image: I:v1 # the app M", "v2", "image: I:v2 # the app M"),
        ("image: &app I:v1 M", "v2", "image: &app I:v2 M"),
        (
            "note: \"a # b\" # c\nimage: I:v1 #longshore: release shop",
            "v2",
            "note: \"a # b\" # c\nimage: I:v2 #longshore: release shop",
        ),
        // Line ends, a missing last one, a byte order mark, other alphabets.
        ("a: 1\r\ntag: v1 M tag\r\nb: 2\r\n", "v2", "a: 1\r\ntag: v2 M tag\r\nb: 2\r\n"),
        ("\u{feff}tag: v1 M tag\n\n\n", "v2", "\u{feff}tag: v2 M tag\n\n\n"),
        ("naïve: ünï\ntag: v1 M tag\n日本: 語", "v2", "naïve: ünï\ntag: v2 M tag\n日本: 語"),
        // Every marked line; other releases, and what is commented out, stay.
        ("a: I:v1 M\nb: v1 M tag\n", "v2", "a: I:v2 M\nb: v2 M tag\n"),
        (
            "a: v1 # longshore: release shopping tag\nb: v1 M tag",
            "v2",
            "a: v1 # longshore: release shopping tag\nb: v2 M tag",
        ),
        ("# a: v1 M tag\nb: v1 M tag", "v2", "# a: v1 M tag\nb: v2 M tag"),
        ("a: v2 M tag\nb: v1 M tag", "v2", "a: v2 M tag\nb: v2 M tag"),
        // What YAML would take for a number, a date or a truth gets quotes; a count stays a count.
        ("tag: 1.9 M tag", "1.10", "tag: \"1.10\" M tag"),
        ("tag: main M tag", "no", "tag: \"no\" M tag"),
        ("tag: '1.9' M tag", "1.10", "tag: '1.10' M tag"),
        ("tag: 9 M tag", "10", "tag: 10 M tag"),
        ("tag: 1.4.1 M tag", "1.4.2", "tag: 1.4.2 M tag"),
        // A plain version file.
        ("v1\n", "v2", "v2\n"),
        ("v1", "v2", "v2"),
        ("\n 1.9 \r\n", "1.10", "\n 1.10 \r\n"),
    ] {
        let (before, after) = (written(before), written(after));
        let edited = edit_to(&before, tag).unwrap_or_else(|wrong| panic!("{before}: {wrong}"));
        assert_eq!(edited.unwrap().text, after, "{before}");
        assert_eq!(edit_to(&after, tag), Ok(None), "twice: {after}");
    }
}

#[test]
fn what_is_no_place_for_the_version_is_told() {
    for (text, told) in [
        (
            "image: I:v1\nname: app\n",
            "no line ends in `# longshore: release shop`, and it is not a single tag; write",
        ),
        ("", "no line ends in"),
        ("\n\n", "no line ends in"),
        ("two words", "no line ends in"),
        ("v1\nv2\n", "no line ends in"),
        ("# image: I:v1 M", "no line ends in"),
        ("M", "no line ends in"),
        ("image: I:v1# longshore: release shop", "no line ends in"),
        ("note: \"write M\"\nb: 2", "no line ends in"),
        (
            "a: 1\nimage: I:v1 M tagg",
            "line 2: the marker says `tagg` after the release's name; write nothing there",
        ),
        ("image: M", "line 1: no value stands before the marker; write the image before it"),
        ("- M tag", "line 1: no value stands before the marker; write a tag before it"),
        ("image: other/app:v1 M", "line 1: `other/app:v1` is no image of 1111.dkr"),
        ("{image: I:v1, name: app} M", "line 1: `app` is no image of"),
        (
            "image: I@O M",
            "is pinned by its digest; mark it with `# longshore: release shop pinned`",
        ),
        ("tag: I:v1 M tag", "is not a tag; mark the line"),
        ("tag: 'it''s' M tag", "line 1: no value stands before the marker"),
        ("text: | M tag", "line 1: `|` is not a tag"),
        ("digest: v1 M digest", "line 1: `v1` is not a digest"),
        ("a: v1 M tag\nb: *app M", "line 2: `*app` is no image of"),
    ] {
        let text = written(text);
        let wrong = edit_to(&text, "v2").unwrap_err().to_string();
        assert!(wrong.contains(told), "{text}: {wrong}");
    }
}

#[test]
fn changes_are_told_and_the_message_is_recognised() {
    let text = written("a: 1\nimage: I:v1 M\ntag: \"\" M tag\n");
    let changes = edit_to(&text, "v2").unwrap().unwrap().changes;
    let first = Change { line: 2, from: format!("{IMAGE}:v1"), to: format!("{IMAGE}:v2") };
    assert_eq!(changes[0], first);
    let (shop, owner): (_, OwnerName) = (shop(), "prod".parse().unwrap());
    let version = Version { release: &shop, image: IMAGE, tag: "v2", digest: DIGEST };
    let text = message(&version, &owner, "deploy/web.yaml", &changes);
    let expected = format!(
        "Release shop: v2 of shop\n\ndeploy/web.yaml:2: {IMAGE}:v1 -> {IMAGE}:v2\ndeploy/web.yaml:3: nothing -> v2\n\n\
         Image: {IMAGE}:v2\nDigest: {DIGEST}\n\n\
         Longshore-Owner: prod\nLongshore-Release: shop\nLongshore-Version: v2\n"
    );
    assert_eq!(text, expected);
    assert!(is_ours(&text, &shop, &owner));
    assert!(!is_ours(&text, &"other".parse().unwrap(), &owner));
    assert!(!is_ours(&text, &shop, &"staging".parse().unwrap()));
    assert!(!is_ours(&format!("{text}\nand then some\n"), &shop, &owner));
    assert!(!is_ours("Release shop: v2 of shop\n", &shop, &owner));
}

#[test]
fn paths_and_branches_are_checked_offline() {
    let wrong = |path: &str, branch: Option<&str>| {
        let mut spec = spec(">=1.0.0");
        let branch = branch.map(str::to_owned);
        spec.write_back = Some(WriteBack { path: path.to_owned(), branch });
        let findings = Rule::resolve(&spec).err().unwrap_or_default();
        findings.into_iter().map(|finding| finding.path).collect::<Vec<_>>()
    };
    for path in ["web.yaml", "deploy/prod/web.yaml", ".github/x.yml", "a b/ü.yaml", "..x/VERSION"]
    {
        assert_eq!(wrong(path, Some("longshore/shop")), [""; 0], "{path}");
    }
    for path in [
        "",
        "/web.yaml",
        "../web.yaml",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "a\\b",
        "a\nb",
        ".git/config",
        "x/.GIT/y",
    ] {
        assert_eq!(wrong(path, None), ["spec.writeBack.path"], "{path}");
    }
    for branch in
        ["", "a..b", "-x", "a b", "a:b", "refs/heads/x", "x.lock", "a/.b", "@", "x/", "a~1", "+a"]
    {
        assert_eq!(wrong("web.yaml", Some(branch)), ["spec.writeBack.branch"], "{branch}");
    }
}

/// A line of a file that nobody may touch.
fn other_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,40}",
        "[a-z]{1,8}: [a-z0-9./:]{1,20}( # [a-z ]{0,12})?",
        Just("# image: x  # longshore: release shop".to_owned()),
        Just("image: 1111/web:v1 # longshore: release web".to_owned()),
        "\\PC{0,20}",
    ]
}

/// What stands before a marked scalar, the scalar's quotes, and what stands between it and the marker.
fn frame() -> impl Strategy<Value = (String, &'static str, String)> {
    let before =
        prop_oneof!["[ ]{0,8}(- )?[a-z]{1,8}: ", "[ ]{0,8}- ", "[ ]{0,4}\\{a: b, c: ", "\"k\": "];
    (before, prop_oneof![Just(""), Just("\""), Just("'")], "[,}\\]]{0,2}[ \t]{1,4}")
}

proptest! {
    #[test]
    fn an_edit_changes_the_marked_scalar_and_nothing_else_and_only_once(
        before in prop::collection::vec(other_line(), 0..6),
        after in prop::collection::vec(other_line(), 0..6),
        (lead, quote, trail) in frame(),
        old in "[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20}",
        new in "[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,20}",
        (form, end) in (0..3_usize, prop_oneof![Just("\n"), Just("\r\n")]),
    ) {
        let others: Vec<&String> = before.iter().chain(&after).collect();
        let is_quiet = |line: &&String| edit_to(&format!("x: v1 # longshore: release shop tag\n{line}"), "v1") == Ok(None);
        prop_assume!(others.iter().all(is_quiet));
        let (word, value, wanted) = match form {
            0 => ("", format!("{IMAGE}:{old}"), format!("{IMAGE}:{new}")),
            1 => (" tag", old.clone(), new.clone()),
            _ => (" pinned", format!("{IMAGE}@{OLD}"), format!("{IMAGE}@{DIGEST}")),
        };
        let marker = format!("# longshore: release shop{word}");
        let line = |value: &str, quote: &str| format!("{lead}{quote}{value}{quote}{trail}{marker}");
        let text = |line: &str| {
            let lines = before.iter().map(String::as_str).chain([line]).chain(after.iter().map(String::as_str));
            lines.flat_map(|line| [line, end]).collect::<String>()
        };
        let source = text(&line(&value, quote));
        let result = edit_to(&source, &new).unwrap();
        let text_after = result.as_ref().map_or(source.clone(), |edited| edited.text.clone());
        let quoted = text(&line(&wanted, "\""));
        prop_assert!(
            text_after == text(&line(&wanted, quote)) || quote.is_empty() && text_after == quoted,
            "{source:?} became {text_after:?}"
        );
        prop_assert_eq!(result.is_none(), value == wanted);
        prop_assert_eq!(edit_to(&text_after, &new), Ok(None));
    }

    #[test]
    fn any_text_is_edited_on_marked_lines_only_or_refused(text in "(\\PC{0,12}(# longshore: release shop)?( tag)?[\r\n]{0,2}){0,6}") {
        if let Ok(Some(edited)) = edit_to(&text, "v2") {
            let (old, new): (Vec<&str>, Vec<&str>) = (text.split('\n').collect(), edited.text.split('\n').collect());
            prop_assert_eq!(old.len(), new.len());
            for (index, (old, new)) in old.iter().zip(&new).enumerate() {
                let is_told = edited.changes.iter().any(|change| change.line == index + 1);
                prop_assert_eq!(old != new, is_told, "{} {} {}", old, new, index);
            }
            prop_assert_eq!(edit_to(&edited.text, "v2"), Ok(None));
        }
    }
}
