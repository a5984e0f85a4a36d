//! A started example.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PASSWORD, client::Client};

/// How long a start, a stop or an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The settings that create an administrator.
pub(super) const ADMIN: [(&str, &str); 2] =
    [("ADMIN_USERNAME", "root"), ("ADMIN_PASSWORD", PASSWORD)];

/// A started process in a folder of its own. It ends with the test.
#[derive(Debug)]
pub(super) struct Server {
    folder: Arc<TempDir>,
    settings: Vec<(String, String)>,
    process: Child,
    log: PathBuf,
    port: u16,
}

impl Server {
    /// Starts in an empty folder.
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts in an empty folder, with an administrator `root`.
    pub(super) fn start_with_admin() -> Self {
        Self::start_with(&ADMIN)
    }

    pub(super) fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_in(empty_folder(), settings)
    }

    /// Starts in a folder, which other processes may use at the same time.
    pub(super) fn start_in(folder: Arc<TempDir>, settings: &[(&str, &str)]) -> Self {
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (process, log, port) = spawn(folder.path(), &settings);
        Self { folder, settings, process, log, port }
    }

    /// Starts again in the same folder, after a stop.
    pub(super) fn start_again(&mut self) {
        (self.process, self.log, self.port) = spawn(self.folder.path(), &self.settings);
    }

    /// Changes a setting for the next start.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// Ends the process as an operating system out of memory would.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends a signal, as in `TERM`.
    pub(super) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the end of the process.
    pub(super) fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the process does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops as an operator does.
    pub(super) fn stop(&mut self) {
        self.signal("TERM");
        assert!(self.ended().success(), "{}", self.log());
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What the process has printed since its last start.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The messages that were sent so far, the oldest first.
    pub(super) fn outbox(&self) -> Vec<Value> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.path("outbox")).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap()).collect()
    }

    /// A client without credentials.
    pub(super) fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port))
    }

    /// A client that has signed up.
    pub(super) fn signed_up(&self, name: &str) -> Client {
        let mut client = self.client();
        let answer = client.sign_up(name, PASSWORD);
        assert_eq!(answer.status, 201, "{}", answer.body);
        client
    }

    /// A client that is logged in by session.
    pub(super) fn logged_in(&self, name: &str, password: &str) -> Client {
        let mut client = self.client();
        let answer = client.log_in(name, password);
        assert_eq!(answer.status, 200, "{}", answer.body);
        client
    }

    /// A client with a token.
    pub(super) fn with_token(&self, name: &str, password: &str) -> Client {
        let mut client = self.client();
        let answer = client.post("/user/token", json!({"username": name, "password": password}));
        assert_eq!(answer.status, 200, "{}", answer.body);
        client.token = Some(answer.body["access_token"].as_str().unwrap().to_owned());
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder to start in.
pub(super) fn empty_folder() -> Arc<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("outbox")).unwrap();
    Arc::new(folder)
}

/// A command that runs the example in a folder, with nothing of the environment of the test.
pub(super) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_example-accounts"));
    command.current_dir(folder).env_clear();
    command
}

/// Starts, and waits until the example says where it is.
fn spawn(folder: &Path, settings: &[(String, String)]) -> (Child, PathBuf, u16) {
    static STARTS: AtomicUsize = AtomicUsize::new(0);
    let log = folder.join(format!("log.{}", STARTS.fetch_add(1, Ordering::Relaxed)));
    let output = fs::File::create(&log).unwrap();
    let mut process = command(folder)
        .env("PORT", "0")
        .env("OUTBOX", folder.join("outbox"))
        .envs(settings.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .spawn()
        .unwrap();
    let begun = Instant::now();
    loop {
        let ended = process.try_wait().unwrap();
        let printed = fs::read_to_string(&log).unwrap();
        let port = printed.split_once("http://127.0.0.1:").and_then(|(_, rest)| {
            let (port, _) = rest.split_once("/api")?;
            port.parse().ok()
        });
        if let Some(port) = port {
            return (process, log, port);
        }
        assert!(ended.is_none(), "the example ends at once:\n{printed}");
        assert!(begun.elapsed() < PATIENCE, "the example does not start:\n{printed}");
        thread::sleep(Duration::from_millis(10));
    }
}
