//! Redis: [`redis`], [`RedisServer`], and a cluster of three.

mod cluster;

use std::{
    env, fmt, fs,
    net::{Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs},
    path::PathBuf,
    sync::OnceLock,
    time::Duration,
};

use redis::{Client, Connection, ConnectionInfo, FromRedisValue, IntoConnectionInfo};
use uuid::Uuid;

pub use self::cluster::{RedisCluster, private_redis_cluster, redis_cluster};
use crate::{
    Proxy, missing,
    process::{Folder, Process, free_port, programs, wait_until},
};

/// What to do where there is no server.
const REMEDY: &str = "install it (Debian: apt-get install redis-server) or set REDIS_URL";

/// The certificate of the servers with TLS, for `localhost` and `127.0.0.1`, and its key.
const CERTIFICATE: &str = include_str!("redis/tls/server.pem");
const KEY: &str = include_str!("redis/tls/server.key.pem");

/// Who vouches for it.
pub const AUTHORITY: &str = include_str!("redis/tls/ca.pem");

/// Who does not.
pub const OTHER_AUTHORITY: &str = include_str!("redis/tls/other_ca.pem");

/// A part of a Redis server that no other test sees: keys that begin with a prefix of its own. They
/// are removed when this is dropped.
pub struct Keyspace {
    url: String,
    prefix: String,
}

/// Keys on the server of `REDIS_URL`, or else on a private one that all tests of this process
/// share.
#[must_use]
pub fn redis() -> Option<Keyspace> {
    if let Ok(url) = env::var("REDIS_URL") {
        return Some(Keyspace::new(url));
    }
    // Never dropped: its keeper notices when the process is no more.
    static SERVER: OnceLock<Option<RedisServer>> = OnceLock::new();
    let server = SERVER.get_or_init(|| RedisServer::find(&[])).as_ref();
    server.map_or_else(|| missing("redis", REMEDY), |server| Some(server.keyspace()))
}

/// A private server for one test, which may stop it. Not affected by `REDIS_URL`.
#[must_use]
pub fn redis_server() -> Option<RedisServer> {
    RedisServer::find(&[]).or_else(|| missing("redis", REMEDY))
}

/// A private server that also listens with TLS, to which [`AUTHORITY`] vouches for it. `None` too
/// where the installed programs cannot do TLS.
#[must_use]
pub fn redis_tls_server() -> Option<RedisServer> {
    let port = free_port().to_string();
    let arguments = [
        "--tls-port",
        &port,
        "--tls-cert-file",
        "server.pem",
        "--tls-key-file",
        "server.key.pem",
        "--tls-ca-cert-file",
        "server.pem",
        "--tls-auth-clients",
        "no",
    ];
    RedisServer::find(&arguments).or_else(|| missing("redis with TLS", REMEDY))
}

/// A private server. It ends when this is dropped.
pub struct RedisServer {
    program: PathBuf,
    folder: Folder,
    arguments: Vec<String>,
    port: u16,
    password: String,
    process: Option<Process>,
}

impl Keyspace {
    fn new(url: String) -> Self {
        Self { url, prefix: format!("auth-test-{}:", Uuid::new_v4().simple()) }
    }

    /// What connects to the server.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A proxy in front of the server, and what connects to it through that.
    #[must_use]
    pub fn behind_proxy(&self) -> (Proxy, String) {
        let info: ConnectionInfo = (&*self.url).into_connection_info().expect("a URL");
        let server = info.addr().to_string();
        let mut addresses = server.to_socket_addrs().expect("a server that listens on TCP");
        let proxy = Proxy::to(addresses.next().expect("an address"));
        let url = replace_address(&self.url, proxy.address());
        (proxy, url)
    }

    /// A connection of the test's own.
    #[must_use]
    pub fn connection(&self) -> Connection {
        connect(&self.url).expect("a server that answers")
    }

    /// The keys that there are.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        keys(&mut self.connection(), &self.prefix)
    }
}

impl Drop for Keyspace {
    fn drop(&mut self) {
        // A test may have stopped its private server, and the keys go with that.
        if let Ok(mut connection) = connect(&self.url) {
            for key in keys(&mut connection, &self.prefix) {
                let _: redis::RedisResult<()> = redis::cmd("DEL").arg(key).query(&mut connection);
            }
        }
    }
}

impl fmt::Debug for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyspace").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn connect(url: &str) -> redis::RedisResult<Connection> {
    Client::open(url)?.get_connection_with_timeout(Duration::from_secs(5))
}

fn keys(connection: &mut Connection, prefix: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    let mut cursor = String::from("0");
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor).arg("MATCH").arg(format!("{prefix}*")).arg("COUNT").arg(1000);
        let Ok((next, some)) = scan.query::<(String, Vec<String>)>(connection) else { break };
        keys.extend(some);
        cursor = next;
        if cursor == "0" {
            break;
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The same URL with another host and port.
fn replace_address(url: &str, address: SocketAddr) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{user}@{address}/{path}"),
        None => format!("{scheme}://{address}/{path}"),
    }
}

impl RedisServer {
    /// Starts a new server, if its program is on this machine and knows these arguments.
    fn find(arguments: &[&str]) -> Option<Self> {
        let mut server = Self::on(free_port(), arguments)?;
        server.launch(&[]);
        if !arguments.is_empty() && server.refuses_to_start() {
            return None;
        }
        server.wait();
        Some(server)
    }

    fn on(port: u16, arguments: &[&str]) -> Option<Self> {
        let program = ["redis-server", "valkey-server"]
            .into_iter()
            .find_map(|name| Some(programs(&[name], &[])?.join(name)))?;
        let folder = Folder::new("redis", &["redis", "valkey", "nobody"]);
        for (name, contents) in [("server.pem", CERTIFICATE), ("server.key.pem", KEY)] {
            fs::write(folder.path.join(name), contents).expect("our folder");
        }
        // Others on this machine could otherwise do through it what our user may.
        let password = Uuid::new_v4().simple().to_string();
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Some(Self { program, folder, arguments, port, password, process: None })
    }

    fn launch(&mut self, more: &[&str]) {
        let port = self.port.to_string();
        let mut arguments = vec!["--port", &port, "--bind", "127.0.0.1"];
        arguments.extend(["--requirepass", &self.password, "--masterauth", &self.password]);
        // Saves when it is stopped, and not before.
        arguments.extend(["--dir", ".", "--appendonly", "no", "--save", "1000000 1"]);
        arguments.extend(self.arguments.iter().map(String::as_str).chain(more.iter().copied()));
        self.process = Some(Process::start(&self.folder, "TERM", &self.program, &arguments));
    }

    /// Waits until the server answers something.
    fn wait(&self) {
        wait_until(&self.folder, || match self.ask::<String>(&["PING"]) {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("LOADING") => Ok(()),
            Err(error) => Err(error.to_string()),
        });
    }

    /// Whether it ended because it does not know an argument.
    fn refuses_to_start(&self) -> bool {
        for _ in 0..500 {
            if self.folder.log().contains("FATAL CONFIG") {
                return true;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Starts the server again after [`stop`](Self::stop), on the same port and with all its data.
    pub fn start(&mut self) {
        self.start_with(&[]);
        wait_until(&self.folder, || {
            self.ask::<String>(&["PING"]).map(drop).map_err(|error| error.to_string())
        });
    }

    /// The same with more arguments; the server may still be reading its data afterwards.
    pub fn start_with(&mut self, arguments: &[&str]) {
        self.launch(arguments);
        self.wait();
    }

    /// Stops the server, which ends its connections. The data stays for the next
    /// [`start`](Self::start).
    pub fn stop(&mut self) {
        self.process.take().expect("the server runs").stop();
    }

    /// Sends a command.
    ///
    /// # Errors
    ///
    /// - the server refuses it, or does not answer
    pub fn ask<T: FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        let (name, arguments) = command.split_first().expect("a command has a name");
        redis::cmd(name).arg(arguments).query(&mut connect(&self.url())?)
    }

    /// What connects to the server as somebody who may do everything.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}/", self.password, self.port)
    }

    /// The port on which it listens with TLS.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        let port = self.arguments.iter().skip_while(|argument| *argument != "--tls-port").nth(1);
        port.expect("a server with TLS").parse().expect("a port")
    }

    /// Keys on this server.
    #[must_use]
    pub fn keyspace(&self) -> Keyspace {
        Keyspace::new(self.url())
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer").field("port", &self.port).finish_non_exhaustive()
    }
}
