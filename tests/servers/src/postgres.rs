//! PostgreSQL: [`postgres`], [`PostgresServer`].

use std::{env, fs, path::PathBuf, str::FromStr, sync::OnceLock};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions};
use uuid::Uuid;

use crate::{
    Database, block_on, missing,
    process::{Folder, Process, free_port, programs, run, wait_until},
};

/// What to do where there is no server.
const REMEDY: &str = "install it (Debian: apt-get install postgresql) or set POSTGRES_URL";

/// Where packages put the programs: `/usr/lib/postgresql/15/bin` (Debian), `/usr/pgsql-15/bin` (Red
/// Hat), and Homebrew's.
const INSTALLED: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
];

/// The database with which a connection begins that is going to make another one.
const ADMINISTRATION: &str = "postgres";

/// An empty database on the server of `POSTGRES_URL`, or else on a private one that all tests of
/// this process share.
#[must_use]
pub fn postgres() -> Option<Database> {
    if let Ok(url) = env::var("POSTGRES_URL") {
        return Some(database(PgConnectOptions::from_str(&url).expect("POSTGRES_URL is a URL")));
    }
    // Never dropped: its keeper notices when the process is no more.
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    let server = SERVER.get_or_init(PostgresServer::find).as_ref();
    server.map_or_else(|| missing("postgres", REMEDY), |server| Some(server.database()))
}

/// A private server for one test, which may stop it. Not affected by `POSTGRES_URL`.
#[must_use]
pub fn postgres_server() -> Option<PostgresServer> {
    PostgresServer::find().or_else(|| missing("postgres", REMEDY))
}

/// A private server. It ends when this is dropped.
pub struct PostgresServer {
    programs: PathBuf,
    folder: Folder,
    port: u16,
    password: String,
    process: Option<Process>,
}

impl PostgresServer {
    /// Starts a new server, if its programs are on this machine.
    fn find() -> Option<Self> {
        let programs = programs(&["initdb", "postgres"], &INSTALLED)?;
        let folder = Folder::new("postgres", &["postgres", "nobody"]);
        // Others on this machine could otherwise do through it what our user may.
        let password = Uuid::new_v4().simple().to_string();
        let password_file = folder.path.join("password");
        fs::write(&password_file, &password).expect("our folder");
        let mut initdb = folder.command(programs.join("initdb"));
        initdb.args(["--pgdata=data", "--username=tests", "--auth=password", "--no-sync"]);
        initdb.args(["--pwfile=password", "--encoding=UTF8", "--locale=C"]);
        run(initdb);
        fs::remove_file(password_file).expect("our folder");
        let mut server = Self { programs, folder, port: free_port(), password, process: None };
        server.start();
        Some(server)
    }

    /// Starts the server again after [`stop`](Self::stop), on the same port and with all its data.
    pub fn start(&mut self) {
        let port = self.port.to_string();
        let mut arguments = vec!["-D", "data", "-p", &port];
        // What is here need not survive the machine.
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ] {
            arguments.extend(["-c", setting]);
        }
        let program = self.programs.join("postgres");
        // INT ends connections too; TERM would wait for them.
        self.process = Some(Process::start(&self.folder, "INT", &program, &arguments));
        let options = self.options();
        wait_until(&self.folder, || {
            let connected = block_on(async { options.connect().await?.close().await });
            connected.map_err(|error| error.to_string())
        });
    }

    /// Stops the server, which ends its connections. The data stays for the next
    /// [`start`](Self::start).
    pub fn stop(&mut self) {
        self.process.take().expect("the server runs").stop();
    }

    /// An empty database on this server.
    #[must_use]
    pub fn database(&self) -> Database {
        database(self.options())
    }

    fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username("tests")
            .password(&self.password)
            .database(ADMINISTRATION)
    }
}

impl std::fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresServer").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Makes an empty database on a server.
fn database(server: PgConnectOptions) -> Database {
    let name = format!("auth_test_{}", Uuid::new_v4().simple());
    // From `template0`, in which nobody is: to copy a database, one must be alone in it.
    block_on(administer(&server, format!("CREATE DATABASE {name} TEMPLATE template0")))
        .unwrap_or_else(|error| panic!("no database can be made: {error}"));
    let url = server.clone().database(&name).to_url_lossy().to_string();
    let address = format!("{}:{}", server.get_host(), server.get_port());
    Database::new(url, address, move || {
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // A test may have stopped its private server, and the database goes with that.
        let _ = block_on(administer(&server, drop));
    })
}

async fn administer(server: &PgConnectOptions, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = server.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}
