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

use serde_json::Value;
use tempfile::TempDir;

use super::{Client, Remote};

/// How long a start, a stop or an answer may take before a test gives up, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A started process in a folder of its own. It ends with the test.
#[derive(Debug)]
pub struct Server {
    program: &'static str,
    arguments: Vec<String>,
    folder: Arc<TempDir>,
    settings: Vec<(String, String)>,
    process: Child,
    log: PathBuf,
    place: Place,
}

/// Where a process says that it is.
#[derive(Debug)]
struct Place {
    port: u16,
    /// The path at which its API begins.
    base: String,
}

impl Server {
    /// Starts a program in an empty folder, with these variables as its environment.
    ///
    /// The program is `env!("CARGO_BIN_EXE_example-…")`. `PORT` is 0 and `OUTBOX` a folder beside
    /// it, unless the settings say otherwise.
    #[must_use]
    pub fn start(program: &'static str, settings: &[(&str, &str)]) -> Self {
        Self::start_in(program, empty_folder(), settings)
    }

    /// Starts a program with arguments.
    #[must_use]
    pub fn start_as(program: &'static str, arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::spawn(program, arguments, empty_folder(), settings)
    }

    /// Starts in a folder, which other processes may use at the same time.
    #[must_use]
    pub fn start_in(
        program: &'static str,
        folder: Arc<TempDir>,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::spawn(program, &[], folder, settings)
    }

    fn spawn(
        program: &'static str,
        arguments: &[&str],
        folder: Arc<TempDir>,
        settings: &[(&str, &str)],
    ) -> Self {
        let arguments: Vec<_> = arguments.iter().map(|text| (*text).to_owned()).collect();
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut command = command(program, folder.path());
        let (process, log, place) = spawn(command.args(&arguments), folder.path(), &settings);
        Self { program, arguments, folder, settings, process, log, place }
    }

    /// Starts again in the same folder, after a stop.
    pub fn start_again(&mut self) {
        let mut command = command(self.program, self.folder.path());
        let command = command.args(&self.arguments);
        (self.process, self.log, self.place) = spawn(command, self.folder.path(), &self.settings);
    }

    /// Changes a setting for the next start.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// Ends the process as an operating system out of memory would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends a signal, as in `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self) -> ExitStatus {
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
    pub fn stop(&mut self) {
        self.signal("TERM");
        assert!(self.ended().success(), "{}", self.log());
    }

    /// A file in its folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A connection for what no client would send.
    #[must_use]
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.place.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// What the process has printed since its last start.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The messages that were sent so far, the oldest first.
    #[must_use]
    pub fn outbox(&self) -> Vec<Value> {
        let files = fs::read_dir(self.path("outbox")).unwrap().map(|file| file.unwrap().path());
        // A message that is being written has another ending.
        let mut files: Vec<_> =
            files.filter(|file| file.extension().is_some_and(|ending| ending == "json")).collect();
        files.sort();
        files.iter().map(|file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap()).collect()
    }

    /// A client without credentials; its paths begin where the API does.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(format!("{}{}", self.origin(), self.place.base))
    }

    /// A client for what lies outside of the API, as the document does.
    #[must_use]
    pub fn root(&self) -> Client {
        Client::new(self.origin())
    }

    /// The process as an endpoint.
    #[must_use]
    pub fn endpoint(&self) -> Remote {
        Remote::new(self.origin())
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.place.port)
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
#[must_use]
pub fn empty_folder() -> Arc<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("outbox")).unwrap();
    Arc::new(folder)
}

/// A command that runs a program in a folder, with nothing of the environment of the test.
#[must_use]
pub fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear();
    command
}

/// Starts, and waits until the example says where it is.
fn spawn(
    command: &mut Command,
    folder: &Path,
    settings: &[(String, String)],
) -> (Child, PathBuf, Place) {
    static STARTS: AtomicUsize = AtomicUsize::new(0);
    let log = folder.join(format!("log.{}", STARTS.fetch_add(1, Ordering::Relaxed)));
    let output = fs::File::create(&log).unwrap();
    let mut process = command
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
        if let Some(place) = Place::find(&printed) {
            return (process, log, place);
        }
        assert!(ended.is_none(), "the example ends at once:\n{printed}");
        if begun.elapsed() >= PATIENCE {
            let _ = process.kill();
            panic!("the example does not start:\n{printed}");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

impl Place {
    /// Reads the line `API  http://127.0.0.1:8000/api`, or that of a probe, once all of it is there.
    fn find(printed: &str) -> Option<Self> {
        let is_it = |line: &&str| line.starts_with("API ") || line.starts_with("probe ");
        let line = printed.split_inclusive('\n').find(is_it)?;
        let (_, url) = line.strip_suffix('\n')?.split_once("http://")?;
        let (address, base) = url.find('/').map_or((url, ""), |slash| url.split_at(slash));
        let (_, port) = address.rsplit_once(':')?;
        Some(Self { port: port.parse().ok()?, base: base.trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_an_example_is() {
        let find = |printed| Place::find(printed).map(|place| (place.port, place.base));
        let printed = "WARN API is here\nAPI       http://127.0.0.1:8000/api/v1\ndocument";
        assert_eq!(find(printed), Some((8000, "/api/v1".into())));
        assert_eq!(find("API  http://[::1]:80\n"), Some((80, String::new())));
        assert_eq!(find("API  http://127.0.0.1:80"), None, "the line may go on");
    }
}
