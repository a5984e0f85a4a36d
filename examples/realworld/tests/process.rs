//! The process: what survives it, its keys, its reports.

use std::{fs, thread};

use example_kit::testing::{Server, command, empty_folder};
use serde_json::json;

use crate::conduit::{Conduct, Conduit, PROGRAM};

/// Who may call what. A change of it is a change of the contract.
const ACCESS: &str = include_str!("access.txt");

#[test]
fn what_was_written_survives_a_restart_and_a_kill() {
    survives_a_restart_and_a_kill(Conduit::on_sqlite(&[]));
}

pub(crate) fn survives_a_restart_and_a_kill(mut conduit: Conduit) {
    let mut ann = conduit.signed_up("ann");
    ann.publish("A");
    let token = ann.headers.clone();
    for kill in [false, true] {
        if kill {
            conduit.server.kill()
        } else {
            conduit.server.stop()
        }
        conduit.server.start_again();
        let mut again = conduit.stranger();
        again.headers = token.clone();
        assert_eq!(again.get("/user").body["user"]["username"], "ann");
        assert_eq!(again.titles("/articles"), (vec!["A".into()], 1));
        let comment = again.comment("a", "Still here");
        assert_eq!(again.get("/articles/a/comments").body["comments"][0]["id"], comment);
    }
}

#[test]
fn several_processes_share_a_file_and_a_key() {
    let folder = empty_folder();
    let servers: Vec<Server> = thread::scope(|scope| {
        let start = || Server::start_in(PROGRAM, folder.clone(), &[]);
        let starts: Vec<_> = (0..3).map(|_| scope.spawn(start)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let mut ann = servers[0].client();
    let answer = ann.sign_up("ann", "password123");
    assert_eq!(answer.status, 201, "{}", answer.body);
    for server in &servers {
        let mut client = server.client();
        client.present(answer.body["user"]["token"].as_str().unwrap());
        assert_eq!(client.get("/user").status, 200);
        client.publish("From everywhere");
    }
    assert_eq!(servers[0].client().titles("/articles").1, 3);
}

#[cfg(unix)]
#[test]
fn its_key_is_for_its_own_eyes() {
    use std::os::unix::fs::PermissionsExt;

    let conduit = Conduit::on_sqlite(&[]);
    let file = conduit.server.path("realworld.keys.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn says_who_may_call_what_and_leaves_nothing_behind() {
    let folder = empty_folder();
    let output = command(PROGRAM, folder.path()).arg("--access").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), ACCESS);
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left, ["outbox"]);
}

#[test]
fn does_not_start_on_a_database_that_it_cannot_open() {
    let folder = empty_folder();
    for url in ["mysql://me:secret@127.0.0.1:1/conduit", "postgres://me:secret@127.0.0.1:1/conduit"]
    {
        let output = command(PROGRAM, folder.path()).env("DATABASE_URL", url).output().unwrap();
        assert!(!output.status.success());
        let said = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains("secret"));
    }
}

#[test]
fn shows_its_document_and_a_page_that_shows_it() {
    let conduit = Conduit::on_sqlite(&[]);
    let mut root = conduit.server.root();
    let document = root.get("/openapi.json").body;
    assert_eq!(document["servers"], json!([{"url": "/api"}]));
    assert_eq!(root.get("/docs").status, 200);
}
