//! What ssh is told, in files of the cache.
//!
//! Git hands the command that starts ssh to a shell, whichever way it is set, and `GIT_SSH`, which it does not, takes no
//! arguments. So nothing that somebody configured is part of that command: it names a file of settings by a path of ours that
//! is made of hexadecimal digits, relative to the folder that git is started in. The settings in turn name links that stand
//! beside them, because ssh has rules of its own for blanks, quotes, `%` and `${…}` in paths. What a link leads to may have any
//! name.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// For every connection: nobody is asked, no host is trusted that is not known, and a silent one is given up.
pub(super) const COMMAND: &str = "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes \
                                  -o ConnectTimeout=15 -o ServerAliveInterval=10 -o ServerAliveCountMax=3";

/// The key and the known hosts of a source, as ssh is to use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// The folder with the settings and links, below git's home; letters, digits and a dash.
    folder: String,
}

impl Settings {
    /// Writes them below `home`.
    pub(super) fn write(home: &Path, key_file: &str, known_hosts_file: &str) -> io::Result<Self> {
        let (key, known_hosts) =
            (std::path::absolute(key_file)?, std::path::absolute(known_hosts_file)?);
        let mut digest = Sha256::new();
        for path in [&key, &known_hosts] {
            digest.update(path.as_os_str().as_bytes());
            digest.update([0]);
        }
        let name = hex::encode(digest.finalize());
        let folder = format!("ssh-{}", name.get(..16).unwrap_or(&name));
        let place = home.join(&folder);
        fs::create_dir_all(&place)?;
        link(&key, &place.join("key"))?;
        // Where there are such files, ssh looks for them beside the key.
        for more in [".pub", "-cert.pub"] {
            let mut beside = key.clone().into_os_string();
            beside.push(more);
            link(Path::new(&beside), &place.join(format!("key{more}")))?;
        }
        link(&known_hosts, &place.join("known_hosts"))?;
        let text = format!(
            "IdentityFile {folder}/key\nIdentitiesOnly yes\nUserKnownHostsFile {folder}/known_hosts\n\
             GlobalKnownHostsFile none\nUpdateHostKeys no\n"
        );
        write(&place.join("config"), &text)?;
        Ok(Self { folder })
    }

    /// The command that git hands to a shell.
    pub(super) fn command(&self) -> String {
        format!("{COMMAND} -F {}/config", self.folder)
    }
}

/// A file with this text, at no time half written: the ssh of another fetch may be reading it.
fn write(at: &Path, text: &str) -> io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    if fs::read_to_string(at).is_ok_and(|known| known == text) {
        return Ok(());
    }
    let one_more = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let beside = at.with_extension(format!("{}-{one_more}", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(&beside, at)
}

/// A link that leads to a file, whether or not the file is there.
fn link(to: &Path, at: &Path) -> io::Result<()> {
    if fs::read_link(at).is_ok_and(|known| known == to) {
        return Ok(());
    }
    match fs::remove_file(at) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    match symlink(to, at) {
        // Another reader of the same repository was faster, and means the same: the folder's name says to what.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
