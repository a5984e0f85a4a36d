//! What logins cost everybody else: the latency of a public operation and the server's memory,
//! first at rest and then with 64 logins under way all the time.
//!
//! ```text
//! cargo bench -p auth-poem --bench logins
//! ```
//!
//! The server is a second process of this program, on loopback, with the password hasher as it is
//! by default. Takes ten seconds.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use auth_poem::{Auth, password::PasswordHasher, prelude::*};
use poem::{
    Route, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use poem_openapi::payload::PlainText;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};

const SERVE: &str = "--serve";
const LOGINS: usize = 64;
const PASSWORD: &str = "correct horse battery staple";
const PHASE: Duration = Duration::from_secs(4);
/// Between two requests of the client whose latency is measured: it must not load the server.
const PAUSE: Duration = Duration::from_millis(2);

#[derive(AuthUser, Clone, Debug)]
#[auth(table = "users", schemes(session))]
struct User {
    #[auth(id)]
    id: usize,
    #[auth(login)]
    name: String,
    #[auth(password)]
    password: PasswordHash,
}

struct Api;

#[auth_api]
impl Api {
    #[public]
    #[oai(path = "/public", method = "get")]
    async fn open(&self) -> PlainText<String> {
        PlainText("Hello".to_owned())
    }

    #[public]
    #[oai(path = "/login", method = "post")]
    async fn login(
        &self,
        auth: Auth<User>,
        name: PlainText<String>,
    ) -> auth_poem::Result<PlainText<String>> {
        let user = auth.login(&name, PASSWORD).await?.ok_or(Rejection::WrongCredentials)?;
        Ok(PlainText(user.name.clone()))
    }
}

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == SERVE) {
        serve().await;
    } else {
        measure().await;
    }
}

async fn serve() {
    let users = MemoryUsers::<User>::default();
    let password = PasswordHasher::default().hash(PASSWORD).await.unwrap();
    for id in 0..LOGINS {
        users.insert(User { id, name: format!("user{id}"), password: password.clone() }).unwrap();
    }
    let auth = AuthConfig::new().user::<User>(users).sessions(MemorySessions::new());
    let api = auth.build().unwrap().openapi(Api, "Logins", "1");
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    println!("{}", acceptor.local_addr()[0].as_socket_addr().unwrap());
    Server::new_with_acceptor(acceptor).run(Route::new().nest("/", api)).await.unwrap();
}

/// What was seen in one phase.
struct Seen {
    latencies: Vec<Duration>,
    resident: u64,
    peak: u64,
}

async fn measure() {
    let program = std::env::current_exe().unwrap();
    let mut server = Command::new(program).arg(SERVE).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().to_owned();

    let rest = phase(&server, &address).await;
    let mut clients = JoinSet::new();
    for id in 0..LOGINS {
        let address = address.clone();
        clients.spawn(async move {
            let mut client = Client::connect(&address).await;
            let start = Instant::now();
            let mut logins = 0;
            while start.elapsed() < PHASE {
                client.ask("POST /login", &format!("user{id}")).await;
                logins += 1;
            }
            logins
        });
    }
    let busy = phase(&server, &address).await;
    let logins: u32 = clients.join_all().await.into_iter().sum();
    server.kill().unwrap();
    server.wait().unwrap();

    let per_second = f64::from(logins) / PHASE.as_secs_f64();
    println!("| | requests | p50 | p99 | resident | peak |\n|---|--:|--:|--:|--:|--:|");
    println!("| at rest | {}", rest.row());
    println!("| {LOGINS} logins under way, {per_second:.0} per second | {}", busy.row());
    let ratio = busy.percentile(99).as_secs_f64() / rest.percentile(99).as_secs_f64();
    println!("\np99 with logins is {ratio:.1} times p99 at rest");
}

/// Asks the public operation again and again, and looks at the server's memory.
async fn phase(server: &Child, address: &str) -> Seen {
    let mut client = Client::connect(address).await;
    let mut latencies = Vec::new();
    let start = Instant::now();
    while start.elapsed() < PHASE {
        let asked = Instant::now();
        client.ask("GET /public", "").await;
        latencies.push(asked.elapsed());
        sleep(PAUSE).await;
    }
    latencies.sort();
    Seen { latencies, resident: memory(server, "VmRSS:"), peak: memory(server, "VmHWM:") }
}

impl Seen {
    fn percentile(&self, percent: usize) -> Duration {
        self.latencies[self.latencies.len() * percent / 100]
    }

    fn row(&self) -> String {
        let ms = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        let Self { latencies, resident, peak } = self;
        let requests = latencies.len();
        format!("{requests} | {:.2} ms | {:.2} ms | {resident} MiB | {peak} MiB |", ms(50), ms(99))
    }
}

/// One connection that is kept.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 4096] }
    }

    async fn ask(&mut self, what: &str, body: &str) {
        let length = body.len();
        let request = format!(
            "{what} HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        // The answers are short and come in one piece.
        let length = self.stream.read(&mut self.buffer).await.unwrap();
        let answer = String::from_utf8_lossy(&self.buffer[..length]);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

/// A line of `/proc/<pid>/status`, in MiB.
fn memory(server: &Child, name: &str) -> u64 {
    let mut status = String::new();
    let path = format!("/proc/{}/status", server.id());
    fs::File::open(path).unwrap().read_to_string(&mut status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}
