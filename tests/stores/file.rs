//! Sessions in one file.

use std::{
    io::{BufRead, BufReader, Write, stdout},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use auth_core::{
    error::Error,
    secret::SessionKey,
    session::record::SessionRecord,
    store::{Create, FileSessions, SessionStore, Update, conformance},
};
use auth_tests::Around;
use chrono::{SubsecRound, Utc};
use tempfile::tempdir;

use crate::sessions::{key, record};

async fn store() -> Arc<dyn SessionStore> {
    let folder = tempdir().unwrap();
    let mut sessions = FileSessions::open(folder.path().join("sessions.db")).await.unwrap();
    for (name, kind) in conformance::COLUMNS {
        sessions = sessions.column(name, kind).await.unwrap();
    }
    Arc::new(Around::new(sessions, folder))
}

auth_core::session_store_conformance!(conforms_in_a_file, store);

#[tokio::test]
async fn sessions_are_there_after_a_restart() {
    let folder = tempdir().unwrap();
    // A name that would mean something in a URL.
    let path = folder.path().join("a b?mode=memory&c#d%20.db");
    let now = Utc::now().trunc_subsecs(3);
    let key = key();
    {
        let sessions = FileSessions::open(&path).await.unwrap();
        let created = sessions.create(&key, record(1, now), None).await.unwrap();
        assert_eq!(created, Create::Done);
    }
    assert!(path.is_file());
    let sessions = FileSessions::open(&path).await.unwrap();
    assert!(sessions.load(&key, now).await.unwrap().is_some());
}

/// The same test in another process, which is told what to do with a file.
fn in_another_process(test: &str, path: &Path) -> Command {
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args([test, "--exact", "--nocapture"]).env("AUTH_TEST_FILE", path);
    again.stdout(Stdio::piped()).stderr(Stdio::null());
    again
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let name = "file::what_was_acknowledged_survives_a_kill";
    if let Some(path) = std::env::var_os("AUTH_TEST_FILE") {
        let sessions = FileSessions::open(path).await.unwrap();
        loop {
            let now = Utc::now();
            let (stays, ends) = (key(), key());
            for key in [&stays, &ends] {
                let created = sessions.create(key, record(1, now), None).await.unwrap();
                assert_eq!(created, Create::Done);
            }
            let next = SessionRecord { version: 2, ..(*record(1, now)).clone() };
            assert_eq!(sessions.update(&stays, Arc::new(next), now).await.unwrap(), Update::Done);
            assert!(sessions.delete(&ends, now).await.unwrap());
            let hex = |key: SessionKey| -> String {
                key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
            };
            writeln!(stdout(), "did {} {}", hex(stays), hex(ends)).unwrap();
        }
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let mut other = in_another_process(name, &path).spawn().unwrap();
    let mut acknowledged = Vec::new();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        if let Some((_, done)) = line.split_once("did ") {
            acknowledged.push(done.to_owned());
        }
        if acknowledged.len() == 50 {
            // SIGKILL.
            other.kill().unwrap();
        }
    }
    other.wait().unwrap();
    assert!(acknowledged.len() >= 50);
    let sessions = FileSessions::open(&path).await.unwrap();
    let now = Utc::now();
    for done in acknowledged {
        let key = |hex: &str| {
            let byte = |n: usize| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap();
            SessionKey::from_bytes(std::array::from_fn(byte))
        };
        let (stays, ends) = done.split_once(' ').unwrap();
        let stored = sessions.load(&key(stays), now).await.unwrap().unwrap();
        assert_eq!(stored.version, 2);
        assert!(sessions.load(&key(ends), now).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let name = "file::a_second_process_is_refused";
    if let Some(path) = std::env::var_os("AUTH_TEST_FILE") {
        let error = FileSessions::open(path).await.unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
        writeln!(stdout(), "refused: {error}").unwrap();
        return;
    }
    let folder = tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let first = FileSessions::open(&path).await.unwrap();
    let refused = in_another_process(name, &path).output().unwrap();
    let said = String::from_utf8(refused.stdout).unwrap();
    assert!(said.contains("sessions.db is open in another process"), "{said}");
    let error = FileSessions::open(&path).await.unwrap_err();
    assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
    // The first one goes on.
    let now = Utc::now();
    assert!(first.list(0, 1, now).await.unwrap().is_empty());
    drop(first);
    FileSessions::open(&path).await.unwrap();
}

#[tokio::test]
async fn what_is_no_file_of_sessions_is_a_fault() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear Ann, ".repeat(1_000)).unwrap();
    for path in [&*path, Path::new("/no/such/folder/sessions.db"), folder.path()] {
        let error = FileSessions::open(path).await.unwrap_err();
        assert!(matches!(error, Error::Store { store: "session", .. }), "{error:?}");
    }
}
