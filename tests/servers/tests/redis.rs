//! What tests may rely on.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::net::TcpStream;

use auth_test_servers::{redis, redis_cluster, redis_server, redis_tls_server};

fn set(connection: &mut redis::Connection, key: &str) {
    redis::cmd("SET").arg(key).arg("x").exec(connection).unwrap();
}

#[test]
fn each_call_gives_keys_of_its_own_which_go_with_it() {
    let (Some(one), Some(two)) = (redis(), redis()) else { return };
    let mut connection = one.connection();
    set(&mut connection, &format!("{}a", one.prefix()));
    assert_eq!(one.keys().len(), 1);
    assert_eq!(two.keys().len(), 0);
    let key = one.keys().remove(0);
    drop(one);
    let there: bool = redis::cmd("EXISTS").arg(key).query(&mut connection).unwrap();
    assert!(!there);
}

#[test]
fn a_stopped_server_keeps_its_data() {
    let Some(mut server) = redis_server() else { return };
    let keys = server.keyspace();
    set(&mut keys.connection(), &format!("{}a", keys.prefix()));
    server.stop();
    assert!(server.ask::<String>(&["PING"]).is_err());
    server.start();
    assert_eq!(keys.keys().len(), 1);
}

#[test]
fn a_cluster_has_every_slot() {
    let Some(cluster) = redis_cluster() else { return };
    let slots: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    for key in slots {
        let answers: Vec<_> =
            cluster.nodes.iter().map(|node| node.ask::<Option<String>>(&["GET", &key])).collect();
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    }
}

#[test]
fn a_server_with_tls_listens_on_both_ports() {
    let Some(server) = redis_tls_server() else { return };
    TcpStream::connect(("127.0.0.1", server.tls_port())).unwrap();
    assert_eq!(server.ask::<String>(&["PING"]).unwrap(), "PONG");
}
