//! The listing of a bucket, page by page, as our client reads it from a server that may do anything.
//!
//! The first line says what goes wrong and on which page; then keys, a line each, pages parted by empty lines. After `raw` the
//! pages stand as they are sent, parted by lines of dashes:
//!
//! ```text
//! cut 1 90
//! prod/a.yaml
//! prod/b.yaml
//!
//! prod/c.yaml
//! ```

mod server;

use std::cell::RefCell;

use controller::aws::{Aws, ConnectOptions, S3, S3Object};
use controller::clock::Clock;
use tokio::runtime::Runtime;

use self::server::{Pages, Server};
use super::{first_line, parted};

/// The most pages.
const PAGES_MAX: usize = 6;
/// The most keys on a page.
const KEYS_MAX: usize = 12;

/// A client, on one paused clock, and the server that answers it.
struct Client {
    runtime: Runtime,
    s3: S3,
    server: Server,
}

thread_local! {
    static CLIENT: RefCell<Client> = RefCell::new(Client::new());
}

/// Listing a bucket.
///
/// What comes is everything that the server has, or an error; never a part of it.
pub fn listing(data: &[u8]) {
    let (first, rest) = first_line(data);
    let mut words = first.split_ascii_whitespace();
    let what = words.next().unwrap_or_default();
    let numbers: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
    if what == "raw" {
        list(Pages::raw(parted(rest, PAGES_MAX)));
        return;
    }
    let keys = keys(&String::from_utf8_lossy(rest));
    let pages = Pages::of(&keys);
    let count = pages.count();
    let (page, at) = match numbers.as_slice() {
        [] => (0, 0),
        [page] => (page % count, 0),
        [page, at, ..] => (page % count, *at),
    };
    let expected: Vec<&String> = keys.iter().flatten().collect();
    let is_last = page + 1 == count;
    let unless = |is_unharmed: bool| if is_unharmed { Due::Whole } else { Due::Error };
    let (pages, due) = match what {
        "cut" => (pages.cut(page, at), Due::Either),
        "status" => (pages.status(page, [301, 403, 404, 500, 503][at % 5]), Due::Error),
        "empty" => (pages.replaced(page, ""), Due::Error),
        "other" => (pages.replaced(page, OTHERS[at % OTHERS.len()]), Due::Error),
        "endless" => (pages.without_token(page), unless(is_last)),
        "silent" => (pages.silent(page), Due::Error),
        "again" => (pages.leading_to(page, page), unless(is_last)),
        "round" => (pages.leading_to(page, 0), unless(is_last)),
        "less" => (pages.without_object(page, at), unless(keys[page].is_empty())),
        "keyless" => (pages.without_key(page, at), unless(keys[page].is_empty())),
        "turn" => return assert_no_less(list(pages.turned(page, at)), expected.len()),
        _ => (pages, Due::Whole),
    };
    let found = list(pages);
    let found: Option<Vec<&String>> =
        found.as_ref().map(|objects| objects.iter().map(|object| &object.key).collect());
    match due {
        Due::Whole => assert_eq!(found, Some(expected), "{what} on page {page}"),
        Due::Error => assert_eq!(found, None, "{what} on page {page}"),
        Due::Either => assert!(found.is_none() || found == Some(expected), "{found:?}"),
    }
}

/// What has to come.
enum Due {
    Whole,
    Error,
    /// What was lost may have been nothing that counts.
    Either,
}

/// Documents that are no listing.
const OTHERS: [&str; 5] = [
    "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    "<html><body>Sign in to the guest network</body></html>",
    "<ListBucketResult/>",
    "<ListBucketResult><IsTruncated>no</IsTruncated></ListBucketResult>",
    "{}",
];

/// A bit turned somewhere may change a key, but never how many there are.
fn assert_no_less(objects: Option<Vec<S3Object>>, expected: usize) {
    if let Some(objects) = objects {
        assert_eq!(objects.len(), expected, "{objects:#?}");
    }
}

fn keys(text: &str) -> Vec<Vec<String>> {
    // XML has no way to write most control characters; S3 answers with references that no reader may take.
    let is_writable = |letter: &char| !letter.is_control() && !"\u{fffe}\u{ffff}".contains(*letter);
    let key = |line: &str| line.chars().filter(is_writable).collect::<String>();
    let page =
        |page: &str| page.lines().take(KEYS_MAX).map(key).filter(|key| !key.is_empty()).collect();
    text.split("\n\n").take(PAGES_MAX).map(page).collect()
}

/// What our client makes of the pages, if not an error.
fn list(pages: Pages) -> Option<Vec<S3Object>> {
    CLIENT.with_borrow_mut(|client| {
        client.server.serve(pages);
        let listed = client.runtime.block_on(Box::pin(client.s3.list("specs", "prod/")));
        if let Err(error) = &listed {
            super::assert_tellable(&controller::error_chain(error));
        }
        listed.ok()
    })
}

impl Client {
    fn new() -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        let server = Server::default();
        let answers = server.clone();
        let s3 = runtime.block_on(Box::pin(async {
            let clock = Clock::virtual_from("2026-11-21T00:00:00Z".parse().unwrap());
            let options = ConnectOptions { clock, ..ConnectOptions::in_process(answers) };
            Aws::connect(&[], options).await.unwrap().s3(None)
        }));
        Self { runtime, s3, server }
    }
}
