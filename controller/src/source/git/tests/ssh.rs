//! OpenSSH's own server, and paths that would be commands if anybody read them as such.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::*;

/// Where Debian and others put it; it has to be started by its full path.
const SSHD: &str = "/usr/sbin/sshd";
/// What a shell or ssh would make something else of.
const FOLDER: &str = "a  \"b\" 'c' \\ ; $(touch ran) `touch ran` %h ${HOME} ~ #d\ne";

struct Host {
    server: Child,
    port: u16,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn key(file: &Path) -> String {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "key", "-f"])
        .arg(file)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut public = file.as_os_str().to_owned();
    public.push(".pub");
    fs::read_to_string(public).unwrap().trim_end_matches(" key\n").to_owned()
}

impl Host {
    /// A server that lets in whoever has the key, and shows its own.
    fn start(folder: &Path, welcome: &str) -> Self {
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        if is_root {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        fs::write(folder.join("authorized"), format!("{welcome}\n")).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        let place = folder.display();
        let settings = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host\n\
             AuthorizedKeysFile {place}/authorized\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nPidFile none\nSetEnv PATH={path}\n"
        );
        fs::write(folder.join("sshd_config"), settings).unwrap();
        let mut server = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(server.stderr.take().unwrap());
        let mut lines = said.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.starts_with("Server listening")), "sshd does not listen");
        std::thread::spawn(move || lines.for_each(drop));
        Self { server, port }
    }
}

#[tokio::test]
async fn no_part_of_a_configured_path_is_read_as_a_command() {
    let repository = Repository::new();
    let commit = repository.commit_file("web.yaml", "v1");
    let server = tempfile::tempdir().unwrap();
    let folder = server.path().join(FOLDER);
    fs::create_dir(&folder).unwrap();
    let shown = key(&server.path().join("host"));
    let host = Host::start(server.path(), &key(&folder.join("key")));
    let known = format!("[127.0.0.1]:{} {shown}\n", host.port);
    fs::write(folder.join("known hosts"), known).unwrap();
    fs::write(folder.join("unknown"), "").unwrap();
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let path = repository.path().display();
    let url = format!("ssh://{}@127.0.0.1:{}{path}", user.trim(), host.port);
    let place = |hosts: &str| {
        let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let ssh = Ssh { key_file: file("key"), known_hosts_file: file(hosts) };
        GitSource { ssh: Some(ssh), ..source(&url) }
    };
    let mut trusting = reading(&place("known hosts"));
    assert_eq!(trusting.reader.fetch().await.unwrap().revision().as_str(), commit);
    let commit = repository.commit_file("web.yaml", "v2");
    assert_eq!(trusting.reader.fetch().await.unwrap().revision().as_str(), commit);
    // The file that is named is the one that counts.
    let mut careful = reading(&place("unknown"));
    let error = careful.reader.fetch().await.unwrap_err().to_string();
    assert!(error.contains("the known hosts file has no key of this host"), "{error}");
    let homes =
        [trusting.reader.cache.home(), careful.reader.cache.home(), &folder, Path::new(".")];
    for home in homes {
        assert!(!home.join("ran").exists(), "{}", home.display());
    }
}
