//! OpenSSH's own server on loopback, a process for each connection as inetd would start it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crds::Ssh;
use tempfile::TempDir;

const PROGRAM: &str = "/usr/sbin/sshd";
/// The key that the host has, and one of somebody else.
const KEYS: [&str; 2] = ["host", "other"];

/// A server for the user who runs the tests. It ends when it is dropped.
pub(super) struct Sshd {
    folder: TempDir,
    port: u16,
    desk: Arc<Mutex<Desk>>,
    worker: Option<JoinHandle<()>>,
}

/// How connections are answered.
#[derive(Default)]
struct Desk {
    connections: usize,
    /// The first connection that sees another key.
    other_from: Option<usize>,
    is_closed: bool,
    children: Vec<Child>,
}

impl Sshd {
    /// A server that lets these keys in, each made anew, with what `authorized_keys` says before it.
    pub(super) fn start(keys: &[(&str, &str)]) -> Self {
        // Its home before a user is known, where it is root who runs it; a machine that starts sshd itself makes it at boot.
        let _ = fs::create_dir_all("/run/sshd");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut sshd =
            Self { folder: TempDir::new().unwrap(), port, desk: Arc::default(), worker: None };
        for key in KEYS {
            sshd.generate(key);
            fs::write(sshd.file(&format!("{key}.conf")), sshd.settings(key)).unwrap();
        }
        let key = sshd.public("host");
        fs::write(sshd.file("known"), format!("[127.0.0.1]:{port} {key}\n")).unwrap();
        for (name, _) in keys {
            sshd.generate(name);
        }
        let lines = keys.iter().map(|(name, options)| sshd.line(name, options));
        fs::write(sshd.file("authorized"), lines.collect::<String>()).unwrap();
        let (desk, folder) = (Arc::clone(&sshd.desk), sshd.folder.path().to_owned());
        sshd.worker = Some(std::thread::spawn(move || {
            for stream in listener.incoming() {
                if !desk.lock().unwrap().answer(stream.unwrap(), &folder) {
                    return;
                }
            }
        }));
        sshd
    }

    /// Lets this key alone in.
    pub(super) fn admit(&self, key: &str, options: &str) {
        fs::write(self.file("authorized"), self.line(key, options)).unwrap();
    }

    /// From this connection on, counted from the start, somebody else answers.
    pub(super) fn shows_another_key_from(&self, connection: usize) {
        self.desk.lock().unwrap().other_from = Some(connection);
    }

    pub(super) fn shows_its_own_key(&self) {
        self.desk.lock().unwrap().other_from = None;
    }

    /// What identifies the key of somebody else: `SHA256:…`.
    pub(super) fn other_fingerprint(&self) -> String {
        let told = run("ssh-keygen", &["-l", "-f", &self.file("other")]);
        told.split(' ').nth(1).unwrap().to_owned()
    }

    /// The address of a repository of this machine.
    pub(super) fn url(&self, repository: &Path) -> String {
        format!("ssh://127.0.0.1:{}{}", self.port, repository.display())
    }

    /// A key, and the host's own.
    pub(super) fn access(&self, key: &str) -> Ssh {
        Ssh { key_file: self.file(key), known_hosts_file: self.file("known") }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn generate(&self, name: &str) {
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &self.file(name)]);
    }

    fn public(&self, name: &str) -> String {
        fs::read_to_string(self.file(&format!("{name}.pub"))).unwrap().trim().to_owned()
    }

    fn line(&self, key: &str, options: &str) -> String {
        format!("{options} {}\n", self.public(key))
    }

    fn settings(&self, key: &str) -> String {
        let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        [
            format!("HostKey {}", self.file(key)),
            format!("AuthorizedKeysFile {}", self.file("authorized")),
            format!("SetEnv \"PATH={path}\" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1"),
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\n".to_owned(),
            "KbdInteractiveAuthentication no\nPermitRootLogin yes\nPidFile none\n".to_owned(),
        ]
        .join("\n")
    }
}

impl Desk {
    /// Hands a connection to a process of its own; `false` once the server is to end.
    fn answer(&mut self, stream: TcpStream, folder: &Path) -> bool {
        if self.is_closed {
            return false;
        }
        self.connections += 1;
        let is_other = self.other_from.is_some_and(|from| self.connections >= from);
        let [own, other] = KEYS;
        let settings = folder.join(if is_other { other } else { own }).with_extension("conf");
        let output = OwnedFd::from(stream.try_clone().unwrap());
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let child = Command::new(PROGRAM)
            .args(["-i", "-e", "-f"])
            .arg(settings)
            .stdin(Stdio::from(OwnedFd::from(stream)))
            .stdout(Stdio::from(output))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        self.children.retain_mut(|child| child.try_wait().unwrap().is_none());
        self.children.push(child);
        true
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.desk.lock().unwrap().is_closed = true;
        // Wakes whoever waits for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
        for child in &mut self.desk.lock().unwrap().children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}
