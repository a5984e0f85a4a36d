//! Several processes on one database: what one of them did, the others know, and what one of them
//! has said is kept when it dies.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use example_kit::testing::{Body, Client, empty_folder};
use serde_json::{Value, json};

use super::{OTHER_PASSWORD, PASSWORD, client::Caller, server::Server};

/// Two processes on one database, with the keys that lie in their folder.
fn two(settings: &[(&str, &str)]) -> [Server; 2] {
    let folder = empty_folder();
    [(); 2].map(|()| Server::start_in(folder.clone(), settings))
}

/// The same client at another process.
fn elsewhere(server: &Server, client: &Client) -> Client {
    let mut other = server.client();
    other.cookies.clone_from(&client.cookies);
    other.token.clone_from(&client.token);
    other
}

fn a_story_of_two([a, b]: [Server; 2]) {
    // Logged in on A, known on B.
    let mut ann = a.signed_up("ann");
    assert_eq!(elsewhere(&b, &ann).get("/user").body["username"], "ann");

    // Logged out on A, dead on B with the next request.
    let before = elsewhere(&b, &ann);
    assert_eq!(ann.log_out().status, 204);
    before.clone().get("/user").assert_refused(401, "invalid_session");

    // A new password on A ends every other session and token on B, whoever has used them where.
    let mut ann = a.logged_in("ann", PASSWORD);
    let mut others = [
        a.logged_in("ann", PASSWORD),
        b.logged_in("ann", PASSWORD),
        a.with_token("ann", PASSWORD),
        b.with_token("ann", PASSWORD),
    ];
    for client in &mut others {
        assert_eq!((client.me(), elsewhere(&b, client).me()), (200, 200));
    }
    let mut own_before = elsewhere(&b, &ann);
    assert_eq!(own_before.me(), 200);
    let change = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    assert_eq!(ann.put("/user", change).status, 200);
    for client in &mut others {
        let code = if client.token.is_some() { "invalid_token" } else { "invalid_session" };
        elsewhere(&b, client).get("/user").assert_refused(401, code);
        elsewhere(&a, client).get("/user").assert_refused(401, code);
    }
    own_before.get("/user").assert_refused(401, "invalid_session");
    assert_eq!(elsewhere(&b, &ann).me(), 200, "the session that changed it goes on");
    b.client().log_in("ann", PASSWORD).assert_refused(401, "wrong_credentials");
    let mut again = b.logged_in("ann", OTHER_PASSWORD);
    assert_eq!(elsewhere(&a, &again).me(), 200);
    assert_eq!(again.me(), 200);
}

#[test]
fn one_knows_what_another_one_did_on_postgres() {
    let Some(postgres) = auth_test_servers::postgres() else { return };
    a_story_of_two(two(&[("DATABASE_URL", postgres.url())]));
}

#[test]
fn one_knows_what_another_one_did_on_postgres_and_redis() {
    let Some(postgres) = auth_test_servers::postgres() else { return };
    let Some(redis) = auth_test_servers::redis_server() else { return };
    a_story_of_two(two(&[("DATABASE_URL", postgres.url()), ("REDIS_URL", &redis.url())]));
}

#[test]
fn one_knows_what_another_one_did_on_mysql() {
    let Some(mysql) = auth_test_servers::mysql() else { return };
    a_story_of_two(two(&[("DATABASE_URL", mysql.url())]));
}

#[test]
fn one_knows_what_another_one_did_on_sqlite() {
    a_story_of_two(two(&[]));
}

/// How many clients write, and how often each of them: 200 requests in a second.
const CLIENTS: usize = 8;
const PAUSE: Duration = Duration::from_millis(40);

/// After how many answers the process is killed, and when the test gives up.
const ANSWERS: usize = 200;
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with what it has asked for: each request for a code to a new address, in one session
/// after the other or again and again in the same.
struct Writer {
    client: Client,
    changes_one: bool,
    /// The sessions that the server has acknowledged, with the last address of each.
    acknowledged: Vec<(Client, String)>,
    /// The address that was under way when the server died.
    under_way: Option<String>,
}

impl Writer {
    fn write(&mut self, number: usize, answers: &AtomicUsize, stop: &AtomicBool) {
        for round in 0.. {
            if stop.load(SeqCst) {
                return;
            }
            let address = format!("w{number}-{round}@example.org");
            if !self.changes_one {
                self.client.cookies.clear();
            }
            let body = Body::Json(json!({"email": address}));
            match self.client.try_send("POST", "/email/send_code", body) {
                Ok(answer) => assert_eq!(answer.status, 200, "{answer:?}"),
                Err(_) => {
                    self.under_way = Some(address);
                    return;
                }
            }
            answers.fetch_add(1, SeqCst);
            if self.changes_one {
                self.acknowledged.clear();
            }
            self.acknowledged.push((self.client.clone(), address));
            thread::sleep(PAUSE);
        }
    }
}

/// Kills the first process while clients write, and looks at what they were told by the second.
fn kill_under_load(mut dies: Server, then: impl FnOnce(&mut Server) -> Option<Server>) {
    let mut users: Vec<Client> =
        (0..CLIENTS / 2).map(|number| dies.signed_up(&format!("user{number}"))).collect();
    let writers = (0..CLIENTS).map(|_| {
        let user = users.pop();
        Mutex::new(Writer {
            changes_one: user.is_some(),
            client: user.unwrap_or_else(|| dies.client()),
            acknowledged: Vec::new(),
            under_way: None,
        })
    });
    let writers: Vec<_> = writers.collect();
    let (answers, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for (number, writer) in writers.iter().enumerate() {
            let (answers, stop) = (&answers, &stop);
            scope.spawn(move || writer.lock().unwrap().write(number, answers, stop));
        }
        let begun = Instant::now();
        while answers.load(SeqCst) < ANSWERS && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        dies.kill();
        stop.store(true, SeqCst);
    });
    assert!(answers.load(SeqCst) >= ANSWERS, "only {answers:?} answers");

    let other = then(&mut dies);
    let lives = other.as_ref().unwrap_or(&dies);
    let outbox = lives.outbox();
    let code = |address: &str| -> Option<String> {
        let message = outbox.iter().find(|message| message["to"] == *address)?;
        Some(message["code"].as_str().unwrap().to_owned())
    };
    let mut looked_at = 0;
    for writer in writers {
        let writer = writer.into_inner().unwrap();
        for (client, address) in writer.acknowledged {
            let mut client = elsewhere(lives, &client);
            if writer.changes_one {
                assert_eq!(client.me(), 200, "an acknowledged login was lost");
            }
            let verifies = |address: &str| {
                let guess = json!({"email": address, "code": code(address)});
                client.post("/email/verify_code", guess)
            };
            // What was under way is there as a whole or not at all.
            let newer = writer
                .under_way
                .as_deref()
                .filter(|newer| writer.changes_one && code(newer).is_some());
            let outcomes: Vec<(u16, Value)> = [Some(&*address), newer]
                .into_iter()
                .flatten()
                .map(verifies)
                .map(|answer| (answer.status, answer.body["code"].clone()))
                .collect();
            let verified = outcomes.iter().filter(|(status, _)| *status == 200).count();
            assert_eq!(verified, 1, "{address}: {outcomes:?}");
            for (status, code) in outcomes {
                assert!(status == 200 || code == "no_code", "{address}: {status} {code}");
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > CLIENTS, "{looked_at}");
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_one_of_two_is_killed() {
    let Some(postgres) = auth_test_servers::postgres() else { return };
    let [a, b] = two(&[("DATABASE_URL", postgres.url())]);
    kill_under_load(a, |_| Some(b));
}

#[test]
fn nothing_that_was_acknowledged_is_lost_with_sessions_in_redis() {
    let Some(postgres) = auth_test_servers::postgres() else { return };
    let Some(redis) = auth_test_servers::redis_server() else { return };
    let [a, b] = two(&[("DATABASE_URL", postgres.url()), ("REDIS_URL", &redis.url())]);
    kill_under_load(a, |_| Some(b));
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_one_of_two_is_killed_on_mysql() {
    let Some(mysql) = auth_test_servers::mysql() else { return };
    let [a, b] = two(&[("DATABASE_URL", mysql.url())]);
    kill_under_load(a, |_| Some(b));
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_only_one_is_killed() {
    kill_under_load(Server::start(), |server| {
        server.start_again();
        None
    });
}
