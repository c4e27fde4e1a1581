//! What git and ssh complain about, in one bounded line that says what to do.

/// How much of a complaint is told.
const TOLD_MAX: usize = 600;

/// A complaint that people run into, and what it means.
struct Known {
    /// What stands in git's or ssh's words.
    sign: &'static str,
    /// What it means, and what to do about it.
    meaning: &'static str,
}

/// The first sign that is found decides, so the more telling ones come first.
const KNOWN: [Known; 15] = [
    Known {
        sign: "REMOTE HOST IDENTIFICATION HAS CHANGED",
        meaning: "the key that the host shows is not the one in the known hosts file: somebody may stand between, or the \
                  host has a new key. Compare it with what the host's owner publishes before you replace its line",
    },
    Known {
        sign: "Host key verification failed",
        meaning: "the known hosts file has no key of this host. Add the line that `ssh-keyscan` prints, after comparing it \
                  with what the host's owner publishes",
    },
    Known {
        sign: "are too open",
        meaning: "ssh uses no private key that others may read: `chmod 600` it",
    },
    Known {
        sign: "Permission denied (",
        meaning: "the host does not accept the key: is its public half a deploy key of this repository?",
    },
    Known {
        sign: "marked as read only",
        meaning: "the key may read the repository and not write to it: give `push.ssh` a key that may",
    },
    Known {
        // What a key that is bound to `git-upload-pack` makes of a push.
        sign: "git upload-pack: protocol error",
        meaning: "the key may read the repository and not write to it: give `push.ssh` a key that may",
    },
    Known {
        sign: "Write access to repository not granted",
        meaning: "what is pushed with may read the repository and not write to it: give the GitHub App the permission \
                  `Contents: Read and write` and accept it for the installation, or name one under `push` that has it",
    },
    Known {
        sign: "could not read Username",
        meaning: "the host asks for a token, or does not accept the token that it got",
    },
    Known { sign: "Authentication failed", meaning: "the host does not accept the token" },
    Known { sign: "returned error: 401", meaning: "the host does not accept the token" },
    Known {
        sign: "returned error: 403",
        meaning: "the host accepts the token, but does not let it do this in the repository: commits take a token that may \
                  write its contents, which `push` can name",
    },
    Known {
        sign: "returned error: 404",
        meaning: "there is no such repository, or the token may not know of it",
    },
    Known {
        sign: "returned error: 30",
        meaning: "the repository has moved, and a token is not carried after it: write its new address, which may be the \
                  same with `.git` at its end",
    },
    Known {
        sign: "ertificate",
        meaning: "the host's certificate is not trusted: GIT_SSL_CAINFO names a file of further authorities",
    },
    Known {
        sign: "Could not resolve",
        meaning: "the host's name is not known here: is a proxy missing?",
    },
];

/// What is told of everything that git wrote to its standard error.
pub(super) fn told(complaint: &[u8], secrets: &[String]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let lines: Vec<String> = text.lines().map(printable).filter(|line| !line.is_empty()).collect();
    let known = KNOWN.iter().find(|known| text.contains(known.sign));
    let chosen: Vec<&str> = match known {
        Some(known) => {
            lines.iter().map(String::as_str).filter(|line| is_about(line, known)).collect()
        }
        None => declined(&lines).unwrap_or_else(|| fatal_or_all(&lines)),
    };
    let mut told = chosen.join("; ");
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        told = told.replace(secret.as_str(), "***");
    }
    told = redact(&told);
    if told.is_empty() {
        told.push_str("nothing");
    }
    let mut told: String = told.chars().take(TOLD_MAX).collect();
    if let Some(known) = known {
        told.truncate(told.trim_end_matches('.').len());
        told.push_str(": ");
        told.push_str(known.meaning);
    }
    told
}

/// A line without what would move a terminal's cursor.
fn printable(line: &str) -> String {
    line.trim().chars().filter(|letter| !letter.is_control()).collect()
}

/// The line with the sign, and a fingerprint on a line of its own.
fn is_about(line: &str, known: &Known) -> bool {
    line.contains(known.sign) || line.starts_with("SHA256:")
}

/// What a host said when it took no push: its own words, without git's frame around them, and git's word for it.
fn declined(lines: &[String]) -> Option<Vec<&str>> {
    let rejected =
        lines.iter().find(|line| line.starts_with("! [") && line.contains("rejected]"))?;
    let verdict = rejected.rsplit_once('(').and_then(|(_, verdict)| verdict.strip_suffix(')'));
    let said = lines.iter().filter_map(|line| line.strip_prefix("remote:"));
    let said = said.map(str::trim).filter(|line| !line.is_empty());
    Some(said.chain(verdict).collect())
}

/// What git says where the other side has hung up: the reason is what that side has said before.
const HUNG_UP: &str = "fatal: Could not read from remote repository.";

fn fatal_or_all(lines: &[String]) -> Vec<&str> {
    let all = || lines.iter().map(String::as_str);
    let before: Vec<&str> = all().take_while(|line| *line != HUNG_UP).collect();
    if !before.is_empty() && before.len() < lines.len() {
        return before;
    }
    let fatal: Vec<&str> = all().filter(|line| line.starts_with("fatal:")).collect();
    if fatal.is_empty() { all().collect() } else { fatal }
}

/// Takes user names and passwords out of every URL of a text.
pub(super) fn redact(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        told.push_str(before);
        told.push_str("://");
        let end = after.find(|letter: char| "/'\"`<> \t".contains(letter)).unwrap_or(after.len());
        let (authority, following) = after.split_at(end);
        told.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        rest = following;
    }
    told.push_str(rest);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(complaint: &str) -> String {
        told(complaint.as_bytes(), &["t0k".to_owned()])
    }

    #[test]
    fn a_changed_host_key_is_told_with_its_fingerprint() {
        let told = of("@@@@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@\n\
            The fingerprint for the ED25519 key sent by the remote host is\nSHA256:abc.\n\
            Host key verification failed.\nfatal: Could not read from remote repository.\n");
        assert!(told.contains("SHA256:abc"), "{told}");
        assert!(told.contains("is not the one in the known hosts file"), "{told}");
    }

    #[test]
    fn what_ssh_says_is_told_and_not_gits_shrug() {
        for (complaint, meaning) in [
            (
                "No ED25519 host key is known for [h]:1\nHost key verification failed.",
                "ssh-keyscan",
            ),
            ("Host key verification failed.", "ssh-keyscan"),
            ("git@h: Permission denied (publickey).", "deploy key"),
            (
                "Permissions 0644 for '/k' are too open.\nLoad key \"/k\": bad permissions\n\
                 git@h: Permission denied (publickey).",
                "chmod 600",
            ),
        ] {
            let told = of(&format!("{complaint}\nfatal: Could not read from remote repository."));
            assert!(told.contains(meaning) && !told.contains("Could not read"), "{told}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_in_gits_own_words() {
        assert_eq!(of("remote: hello\nfatal: bad thing\nhint: x"), "fatal: bad thing");
        assert_eq!(of("one\n\ntwo"), "one; two");
        let hung_up = "fatal: Could not read from remote repository.";
        let advice = "Please make sure you have the correct access rights";
        assert_eq!(of(&format!("{hung_up}\n\n{advice}\n")), hung_up);
        let said = format!("FATAL: W any fleet ada DENIED\n{hung_up}\n\n{advice}\n");
        assert_eq!(of(&said), "FATAL: W any fleet ada DENIED");
        assert_eq!(of(""), "nothing");
    }

    #[test]
    fn a_host_that_takes_no_push_is_told_in_its_own_words() {
        let complaint = "remote: error: GH006: Protected branch update failed for refs/heads/main.        \n\
            remote: \nremote: - Changes must be made through a pull request.\u{1b}[K\nTo https://ada:t0k@h/x\n \
            ! [remote rejected] 0123456 -> main (protected branch hook declined)\n\
            error: failed to push some refs to 'https://h/x'\n";
        assert_eq!(
            of(complaint),
            "error: GH006: Protected branch update failed for refs/heads/main.; \
             - Changes must be made through a pull request.[K; protected branch hook declined"
        );
        let behind =
            "To /srv/x\n ! [rejected] 01 -> main (fetch first)\nerror: failed\nhint: Updates were";
        assert_eq!(of(behind), "fetch first");
        let read_only = "ERROR: The key you are authenticating with has been marked as read only.\n\
            fatal: Could not read from remote repository.";
        assert!(of(read_only).contains("give `push.ssh` a key that may"));
    }

    #[test]
    fn complaints_carry_no_credentials_and_move_no_cursor() {
        let told = of(
            "fatal: unable to access 'https://ada:s3cret@git.acme.io/x/': \u{1b}[2Jrefused t0k, see https://t0k@y.io",
        );
        assert_eq!(
            told,
            "fatal: unable to access 'https://git.acme.io/x/': [2Jrefused ***, see https://y.io"
        );
    }
}
