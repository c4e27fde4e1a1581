//! Whole bodies, with every field that the hosts document of them, and their own headers beside them.
//!
//! Names are Acme's. What is looked at of a body is a handful of fields; the rest is there so that it stays so.

use super::*;

/// One call as a host sends it.
struct Sent {
    provider: WebhookProvider,
    body: &'static str,
    headers: &'static [(&'static str, &'static str)],
    /// Where the signature stands.
    signature: &'static str,
    /// The references that have changed.
    changed: &'static [&'static str],
}

const GITHUB_PUSH: Sent = Sent {
    provider: WebhookProvider::Github,
    body: include_str!("../fixtures/github-push.json"),
    headers: &[
        ("accept", "*/*"),
        ("content-type", "application/json"),
        ("user-agent", "GitHub-Hookshot/1f0a2c3"),
        ("x-github-delivery", "2f9c0b4e-6d1a-4f7b-9c53-8e0d7a1b6c25"),
        ("x-github-event", "push"),
        ("x-github-hook-id", "910011"),
        ("x-github-hook-installation-target-id", "700100"),
        ("x-github-hook-installation-target-type", "repository"),
    ],
    signature: "x-hub-signature-256",
    changed: &["refs/heads/main"],
};

const SENT: [Sent; 6] = [
    GITHUB_PUSH,
    Sent {
        body: include_str!("../fixtures/github-create-tag.json"),
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "GitHub-Hookshot/1f0a2c3"),
            ("x-github-delivery", "8b1d5e70-3c42-4a96-b0e8-57f2c9d41a63"),
            ("x-github-event", "create"),
        ],
        changed: &["refs/tags/v2.1.0"],
        ..GITHUB_PUSH
    },
    Sent {
        provider: WebhookProvider::Gitlab,
        body: include_str!("../fixtures/gitlab-push.json"),
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "GitLab/18.5.1"),
            ("idempotency-key", "b7e6c1d0-94f2-4a3e-8c15-0d2f9b6a7e48"),
            ("x-gitlab-event", "Push Hook"),
            ("x-gitlab-webhook-uuid", "6a0e8d47-2b5c-4f91-a3d6-7c9e1f0b8a52"),
            ("x-gitlab-instance", "https://gitlab.acme.io"),
            ("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e"),
        ],
        signature: "x-gitlab-token",
        changed: &["refs/heads/main"],
    },
    Sent {
        provider: WebhookProvider::Gitlab,
        body: include_str!("../fixtures/gitlab-tag-push.json"),
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "GitLab/18.5.1"),
            ("idempotency-key", "0c3f7a91-58de-4b62-9f04-e1a6d8b2c573"),
            ("x-gitlab-event", "Tag Push Hook"),
            ("x-gitlab-webhook-uuid", "6a0e8d47-2b5c-4f91-a3d6-7c9e1f0b8a52"),
            ("x-gitlab-instance", "https://gitlab.acme.io"),
            ("x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e"),
        ],
        signature: "x-gitlab-token",
        changed: &["refs/tags/v2.1.0"],
    },
    Sent {
        provider: WebhookProvider::Bitbucket,
        body: include_str!("../fixtures/bitbucket-cloud-push.json"),
        headers: &[
            ("content-type", "application/json"),
            ("user-agent", "Bitbucket-Webhooks/2.0"),
            ("x-attempt-number", "1"),
            ("x-event-key", "repo:push"),
            ("x-event-time", "Fri, 20 Nov 2026 10:00:00 GMT"),
            ("x-hook-uuid", "4d2b8c10-7e5f-4a93-b6d1-c0f9e8a7b352"),
            ("x-request-uuid", "95e1f0a7-3b2c-4d68-8f57-a1c4e6d9b082"),
        ],
        signature: "x-hub-signature",
        changed: &["refs/heads/main", "refs/tags/v2.1.0"],
    },
    Sent {
        provider: WebhookProvider::Bitbucket,
        body: include_str!("../fixtures/bitbucket-center-refs.json"),
        headers: &[
            ("content-type", "application/json; charset=utf-8"),
            ("user-agent", "Atlassian HttpClient 2.1.5 / Bitbucket-8.19.2 (8019002) / Default"),
            ("x-event-key", "repo:refs_changed"),
            ("x-request-id", "17f8a5d2-9c41-4d0e-8a57-3b6f2e1c0d94"),
        ],
        signature: "x-hub-signature",
        changed: &["refs/heads/main", "refs/tags/v2.1.0"],
    },
];

impl Sent {
    fn headers(&self) -> HeaderMap {
        let proof = match self.provider {
            WebhookProvider::Gitlab => SECRET.to_owned(),
            WebhookProvider::Github | WebhookProvider::Bitbucket | WebhookProvider::Generic => {
                hex_tag(self.body)
            }
        };
        headers(&[self.headers, &[(self.signature, &proof)]].concat())
    }

    fn read(&self) -> (push::Push, Option<String>) {
        let headers = self.headers();
        let body = push::body(&headers, self.body.as_bytes());
        (push::Push::read(self.provider, &headers, &body), repository::named(self.provider, &body))
    }
}

#[test]
fn what_has_changed_and_where_is_read_of_whole_bodies() {
    for sent in &SENT {
        let (push, repository) = sent.read();
        let push::Push::References { changed, .. } = push else {
            panic!("{push:?} of {:?}", sent.headers)
        };
        assert_eq!(changed, sent.changed);
        let repository = repository.map(|name| name.to_lowercase());
        assert_eq!(repository.as_deref(), Some("acme/fleet"), "{:?}", sent.headers);
    }
}

#[tokio::test]
async fn whole_bodies_wake_who_follows_what_has_changed_and_once() {
    let follows = |branch: Option<&str>, tag: Option<&str>| GitRef {
        branch: branch.map(str::to_owned),
        tag: tag.map(str::to_owned),
        ..GitRef::default()
    };
    for sent in &SENT {
        for (reference, name) in [
            (follows(Some("main"), None), "refs/heads/main"),
            (follows(None, Some("v2.1.0")), "refs/tags/v2.1.0"),
            (follows(Some("other"), None), "refs/heads/other"),
        ] {
            let world = World::following(reference);
            let is_concerned = sent.changed.contains(&name);
            let expected = if is_concerned { Received::Woken } else { Received::NotConcerned };
            let call = || world.call(sent.provider, &sent.headers(), sent.body.as_bytes());
            assert_eq!(call(), Ok(expected), "{name} {:?}", sent.headers);
            assert_eq!(call(), Err(Refused::Replayed), "{:?}", sent.headers);
        }
    }
}
