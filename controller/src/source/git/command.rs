//! Running the `git` program: never through a shell, with a bare environment, bounded in time and in output.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::complaint;
use super::ssh;
use super::url::{Remote, Transport};
use crate::source::{SourceError, Variables};

/// How much of what git says on its standard error is kept.
const COMPLAINT_BYTES_MAX: u64 = 64 * 1024;
/// The file of settings for pushes, in the home.
pub(super) const PUSH_SETTINGS: &str = "gitconfig-push";
/// What the repository is called where git wants a name.
pub(super) const REMOTE: &str = "source";

/// The `git` program with everything that is the same for all commands on one repository.
#[derive(Debug)]
pub(super) struct Git {
    /// Where git is started that speaks ssh: the paths in ssh's settings begin there.
    home: PathBuf,
    environment: Vec<(OsString, OsString)>,
    place: String,
    secrets: Vec<String>,
    commands: u64,
}

/// One run of `git`.
pub(super) struct Run<'a> {
    /// `list references of`, for messages.
    pub(super) doing: &'static str,
    pub(super) arguments: Vec<&'a OsStr>,
    pub(super) input: Vec<u8>,
    pub(super) output_bytes_max: u64,
    pub(super) time: Duration,
}

/// The credentials of one fetch.
pub(super) enum Credentials {
    None,
    /// User and password for http.
    Basic {
        user: String,
        password: String,
    },
    /// Key and known hosts for ssh.
    Ssh(ssh::Settings),
}

impl Git {
    pub(super) fn new(remote: &Remote, variables: &Variables, home: &Path) -> Self {
        let mut environment: Vec<(OsString, OsString)> = variables.iter().cloned().collect();
        let mut set = |name: &str, value: &OsStr| environment.push((name.into(), value.into()));
        set("LC_ALL", OsStr::new("C"));
        set("HOME", home.as_os_str());
        set("GIT_CONFIG_NOSYSTEM", OsStr::new("1"));
        // No repository around the cache has a say either.
        set("GIT_CEILING_DIRECTORIES", home.parent().unwrap_or(home).as_os_str());
        set("GIT_CONFIG_GLOBAL", home.join("gitconfig").as_os_str());
        set("GIT_TERMINAL_PROMPT", OsStr::new("0"));
        set("GIT_ASKPASS", OsStr::new(""));
        set("SSH_ASKPASS", OsStr::new(""));
        set("GIT_ALLOW_PROTOCOL", OsStr::new(remote.transport.protocol()));
        set("GIT_PROTOCOL_FROM_USER", OsStr::new("0"));
        set("GIT_LITERAL_PATHSPECS", OsStr::new("1"));
        set("GIT_NO_LAZY_FETCH", OsStr::new("1"));
        set("GIT_OPTIONAL_LOCKS", OsStr::new("0"));
        let (home, place) = (home.to_owned(), remote.address.clone());
        Self { home, environment, place, secrets: Vec::new(), commands: 0 }
    }

    /// How many commands were run so far.
    #[cfg(test)]
    pub(super) fn commands(&self) -> u64 {
        self.commands
    }

    /// Runs a command that stays on this machine.
    pub(super) async fn run(&mut self, run: Run<'_>) -> Result<Vec<u8>, SourceError> {
        self.run_with(run, Vec::new()).await
    }

    /// Runs `gpg`, which git runs too, in the same environment.
    pub(super) async fn run_gpg(&mut self, run: Run<'_>) -> Result<Vec<u8>, SourceError> {
        self.run_program("gpg", run, Vec::new(), None).await
    }

    /// Runs `gpgconf`, which ends what gpg has started.
    pub(super) async fn run_gpgconf(&mut self, run: Run<'_>) -> Result<Vec<u8>, SourceError> {
        self.run_program("gpgconf", run, Vec::new(), None).await
    }

    /// Runs a push. A repository on this machine runs the hooks that it has, as any host does; the cache runs none.
    pub(super) async fn run_push(
        &mut self,
        run: Run<'_>,
        remote: &Remote,
        credentials: &Credentials,
        home: &Path,
    ) -> Result<Vec<u8>, SourceError> {
        self.secrets = secrets(credentials);
        let no_hooks = vec![("core.hooksPath".to_owned(), "/dev/null".to_owned())];
        let mut environment = credential_environment(&remote.transport, credentials, no_hooks);
        environment.push(("GIT_CONFIG_GLOBAL".into(), home.join(PUSH_SETTINGS).into_os_string()));
        self.run_program("git", run, environment, self.folder_for(remote)).await
    }

    /// Runs a command that talks to the repository's host.
    pub(super) async fn run_remote(
        &mut self,
        run: Run<'_>,
        remote: &Remote,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, SourceError> {
        self.secrets = secrets(credentials);
        let environment = credential_environment(&remote.transport, credentials, Vec::new());
        self.run_program("git", run, environment, self.folder_for(remote)).await
    }

    /// Runs a command that fetches from the repository by the name [`REMOTE`]: git takes no parts of one without a name.
    pub(super) async fn run_fetch(
        &mut self,
        run: Run<'_>,
        remote: &Remote,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, SourceError> {
        self.secrets = secrets(credentials);
        let named = vec![(format!("remote.{REMOTE}.url"), remote.address.clone())];
        let environment = credential_environment(&remote.transport, credentials, named);
        self.run_program("git", run, environment, self.folder_for(remote)).await
    }

    fn folder_for(&self, remote: &Remote) -> Option<PathBuf> {
        (remote.transport == Transport::Ssh).then(|| self.home.clone())
    }

    /// Runs a command that stays on this machine, with more in its environment.
    pub(super) async fn run_with(
        &mut self,
        run: Run<'_>,
        more: Vec<(OsString, OsString)>,
    ) -> Result<Vec<u8>, SourceError> {
        self.run_program("git", run, more, None).await
    }

    async fn run_program(
        &mut self,
        program: &'static str,
        run: Run<'_>,
        more: Vec<(OsString, OsString)>,
        folder: Option<PathBuf>,
    ) -> Result<Vec<u8>, SourceError> {
        self.commands += 1;
        let mut command = Command::new(program);
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        let mut child = command
            .args(&run.arguments)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .envs(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| SourceError::Start { program, source })?;
        let seconds = run.time.as_secs();
        match tokio::time::timeout(run.time, converse(&mut child, &run)).await {
            Ok(Ok(Answer { output, complaint, is_success: true })) => {
                if !complaint.is_empty() {
                    tracing::debug!(git = %complaint::told(&complaint, &self.secrets), "git");
                }
                Ok(output)
            }
            Ok(Ok(Answer { complaint, .. })) => {
                let message = complaint::told(&complaint, &self.secrets);
                Err(SourceError::Git { doing: run.doing, place: self.place.clone(), message })
            }
            Ok(Err(source)) => {
                let message = source.to_string();
                Err(SourceError::Git { doing: run.doing, place: self.place.clone(), message })
            }
            Err(_elapsed) => {
                let place = self.place.clone();
                Err(SourceError::GitTimeout { doing: run.doing, place, seconds })
            }
        }
    }
}

struct Answer {
    output: Vec<u8>,
    complaint: Vec<u8>,
    is_success: bool,
}

/// Writes the input and reads both outputs at once, so that no pipe can fill up and block.
async fn converse(child: &mut Child, run: &Run<'_>) -> io::Result<Answer> {
    let (mut stdin, stdout, stderr) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let write = async {
        if let Some(stdin) = &mut stdin {
            // A git that ends early closes its input; its exit code and complaint say more than our broken pipe.
            let _ = stdin.write_all(&run.input).await;
        }
        drop(stdin);
    };
    let ((), output, complaint) =
        tokio::join!(write, read(stdout, run.output_bytes_max), read_complaint(stderr));
    let output = output?;
    let status = child.wait().await?;
    Ok(Answer { output, complaint: complaint?, is_success: status.success() })
}

async fn read(from: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(bytes_max + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("the answer is longer than {bytes_max} bytes")));
    }
    Ok(bytes)
}

/// Keeps the beginning and reads on to the end, so that git is never blocked.
async fn read_complaint(from: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        (&mut from).take(COMPLAINT_BYTES_MAX).read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

/// Credentials go by environment, never by argument: arguments are visible to every process of the machine. `more` are
/// further settings.
fn credential_environment(
    transport: &Transport,
    credentials: &Credentials,
    more: Vec<(String, String)>,
) -> Vec<(OsString, OsString)> {
    let mut all = vec![
        ("http.lowSpeedLimit".to_owned(), "1000".to_owned()),
        ("http.lowSpeedTime".to_owned(), "30".to_owned()),
        ("credential.helper".to_owned(), String::new()),
    ];
    let mut environment: Vec<(OsString, OsString)> = Vec::new();
    match (credentials, transport) {
        (
            Credentials::Basic { user, password },
            Transport::Https { origin } | Transport::Http { origin, .. },
        ) => all.extend([
            // Git would send the header to whatever host it is redirected to.
            ("http.followRedirects".to_owned(), "false".to_owned()),
            (
                format!("http.{origin}.extraHeader"),
                format!("Authorization: Basic {}", basic(user, password)),
            ),
        ]),
        (Credentials::Ssh(settings), Transport::Ssh) => {
            environment.push(("GIT_SSH_COMMAND".into(), settings.command().into()));
        }
        (_, Transport::Ssh) => {
            environment.push(("GIT_SSH_COMMAND".into(), ssh::COMMAND.into()));
        }
        (Credentials::None | Credentials::Basic { .. } | Credentials::Ssh(_), _) => {}
    }
    all.extend(more);
    environment.extend(settings(all));
    environment
}

/// Settings of git as environment variables.
pub(super) fn settings(all: Vec<(String, String)>) -> Vec<(OsString, OsString)> {
    let mut environment: Vec<(OsString, OsString)> =
        vec![("GIT_CONFIG_COUNT".into(), all.len().to_string().into())];
    for (index, (name, value)) in all.into_iter().enumerate() {
        environment.push((format!("GIT_CONFIG_KEY_{index}").into(), name.into()));
        environment.push((format!("GIT_CONFIG_VALUE_{index}").into(), value.into()));
    }
    environment
}

fn basic(user: &str, password: &str) -> String {
    aws_smithy_types::base64::encode(format!("{user}:{password}"))
}

fn secrets(credentials: &Credentials) -> Vec<String> {
    match credentials {
        Credentials::None | Credentials::Ssh(_) => Vec::new(),
        Credentials::Basic { user, password } => vec![password.clone(), basic(user, password)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of<'a>(environment: &'a [(OsString, OsString)], name: &str) -> Option<&'a str> {
        environment.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.to_str())
    }

    #[test]
    fn a_token_travels_as_a_header_for_its_own_host_only() {
        let transport = Transport::Https { origin: "https://github.com/".to_owned() };
        let credentials =
            Credentials::Basic { user: "x-access-token".to_owned(), password: "t0k".to_owned() };
        let environment = credential_environment(&transport, &credentials, Vec::new());
        assert_eq!(value_of(&environment, "GIT_CONFIG_COUNT"), Some("5"));
        assert_eq!(value_of(&environment, "GIT_CONFIG_KEY_3"), Some("http.followRedirects"));
        assert_eq!(value_of(&environment, "GIT_CONFIG_VALUE_3"), Some("false"));
        assert_eq!(
            value_of(&environment, "GIT_CONFIG_KEY_4"),
            Some("http.https://github.com/.extraHeader")
        );
        assert_eq!(
            value_of(&environment, "GIT_CONFIG_VALUE_4"),
            Some("Authorization: Basic eC1hY2Nlc3MtdG9rZW46dDBr")
        );
    }

    #[test]
    fn ssh_trusts_only_the_given_hosts_and_no_path_reaches_the_shell() {
        let home = tempfile::tempdir().unwrap();
        let settings = ssh::Settings::write(home.path(), "/keys/it's $(mine)", "/keys/known hosts");
        let credentials = Credentials::Ssh(settings.unwrap());
        let environment = credential_environment(&Transport::Ssh, &credentials, Vec::new());
        let command = value_of(&environment, "GIT_SSH_COMMAND").unwrap();
        let (options, file) = command.rsplit_once(" -F ").unwrap();
        assert_eq!(options, ssh::COMMAND);
        assert!(options.contains("StrictHostKeyChecking=yes") && options.contains("BatchMode=yes"));
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-/".contains(letter);
        assert!(file.chars().all(is_plain), "{file}");
        let told = std::fs::read_to_string(home.path().join(file)).unwrap();
        let folder = file.strip_suffix("/config").unwrap();
        let trusts =
            format!("UserKnownHostsFile {folder}/known_hosts\nGlobalKnownHostsFile none\n");
        assert!(told.contains(&trusts), "{told}");
        let leads = |name: &str| std::fs::read_link(home.path().join(folder).join(name)).unwrap();
        assert_eq!(leads("key"), Path::new("/keys/it's $(mine)"));
        assert_eq!(leads("known_hosts"), Path::new("/keys/known hosts"));
    }

    #[test]
    fn an_ssh_key_is_not_offered_to_a_web_server() {
        let transport = Transport::Https { origin: "https://github.com/".to_owned() };
        let home = tempfile::tempdir().unwrap();
        let credentials = Credentials::Ssh(ssh::Settings::write(home.path(), "k", "h").unwrap());
        let environment = credential_environment(&transport, &credentials, Vec::new());
        assert_eq!(value_of(&environment, "GIT_SSH_COMMAND"), None);
    }
}
