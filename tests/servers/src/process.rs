//! A server that ends with the process that started it: [`Process`].

use std::{
    env,
    ffi::OsStr,
    fs::{self, DirEntry},
    io::Write,
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a server may take to start. It takes a second; a busy machine takes more.
const START: Duration = Duration::from_secs(60);

/// Waits with the server as its child. When its input ends, which the system sees to when the
/// process at the other end dies, it ends the server and removes the folder. The word `stop`
/// leaves the folder for the next start.
const KEEPER: &str = r#"
    folder=$1 signal=$2
    shift 2
    "$@" >>"$folder/log" 2>&1 </dev/null &
    server=$!
    read -r order
    kill "-$signal" "$server"
    wait "$server"
    [ "$order" = stop ] || rm -rf "$folder"
"#;

/// A running server.
pub(crate) struct Process {
    keeper: Child,
}

impl Process {
    /// Starts a program. The signal is what makes it end at once.
    pub(crate) fn start(folder: &Folder, signal: &str, program: &Path, arguments: &[&str]) -> Self {
        let mut command = folder.command("sh");
        command.args(["-c", KEEPER, "sh"]).arg(&folder.path).arg(signal).arg(program);
        // Not of our group: a Ctrl-C in the terminal is for us, and the keeper still has work then.
        command.args(arguments).process_group(0).stdin(Stdio::piped());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self { keeper: command.spawn().expect("sh starts") }
    }

    /// Ends the server and leaves its folder.
    pub(crate) fn stop(mut self) {
        let input = self.keeper.stdin.as_mut().expect("the input is a pipe");
        input.write_all(b"stop\n").expect("the keeper is there");
        // Drop waits for the end.
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Where a server keeps its files, and as whom it runs.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    user: Option<(u32, u32)>,
}

impl Folder {
    /// A new folder. Servers refuse to run as root, or should: they run as the first of these users
    /// then, and own the folder.
    pub(crate) fn new(name: &str, instead_of_root: &[&str]) -> Self {
        let prefix = format!("auth-test-{name}-");
        let path = tempfile::Builder::new().prefix(&prefix).tempdir().expect("a folder").keep();
        let is_root = fs::metadata(&path).expect("our folder").uid() == 0;
        let user = is_root.then(|| user(instead_of_root));
        if let Some((uid, gid)) = user {
            chown(&path, Some(uid), Some(gid)).expect("root may give a folder away");
        }
        Self { path, user }
    }

    /// A command that runs in the folder as its owner.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.path);
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// What the server has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path.join("log")).unwrap_or_default()
    }
}

/// The ids of the first of these users that there is.
fn user(names: &[&str]) -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").expect("a list of users");
    // name:password:uid:gid:…
    let ids = |name: &&str| {
        let mut fields = passwd
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    names.iter().find_map(ids).unwrap_or_else(|| panic!("none of the users {names:?} is there"))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Waits until the server answers.
pub(crate) fn wait_until(folder: &Folder, mut answers: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + START;
    while let Err(error) = answers() {
        assert!(Instant::now() < deadline, "{error}; the server says:\n{}", folder.log());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a program to its end, which must be a good one.
pub(crate) fn run(mut command: Command) {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// The folder that has all of these programs: one of the search path, or else one of an installed
/// version, the highest first. Those are `<parent>/<prefix><version>/bin`.
pub(crate) fn programs(names: &[&str], installed: &[(&str, &str)]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = env::split_paths(&path).collect();
    for (parent, prefix) in installed {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        let version =
            |entry: DirEntry| entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok();
        let mut versions: Vec<u32> = entries.flatten().filter_map(version).collect();
        versions.sort_unstable();
        let folder = |version| Path::new(parent).join(format!("{prefix}{version}")).join("bin");
        folders.extend(versions.into_iter().rev().map(folder));
    }
    folders.into_iter().find(|folder| names.iter().all(|name| folder.join(name).is_file()))
}
