//! MySQL and MariaDB: [`mysql`], [`MySqlServer`].

use std::{
    env,
    path::{Path, PathBuf},
    str::FromStr,
    sync::OnceLock,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection,
    mysql::{MySqlConnectOptions, MySqlSslMode},
};
use uuid::Uuid;

use crate::{
    Database, block_on, missing,
    process::{Folder, Process, free_port, programs, run, wait_until},
};

/// What to do where there is no server.
const REMEDY: &str = "install it (Debian: apt-get install mariadb-server) or set MYSQL_URL";

/// Where packages put the server, which no user's search path has.
const SERVERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"];

/// An empty database on the server of `MYSQL_URL`, or else on a private one that all tests of this
/// process share.
#[must_use]
pub fn mysql() -> Option<Database> {
    if let Ok(url) = env::var("MYSQL_URL") {
        return Some(database(MySqlConnectOptions::from_str(&url).expect("MYSQL_URL is a URL")));
    }
    // Never dropped: its keeper notices when the process is no more.
    static SERVER: OnceLock<Option<MySqlServer>> = OnceLock::new();
    let server = SERVER.get_or_init(MySqlServer::find).as_ref();
    server.map_or_else(|| missing("mysql", REMEDY), |server| Some(server.database()))
}

/// A private server for one test, which may stop it. Not affected by `MYSQL_URL`.
#[must_use]
pub fn mysql_server() -> Option<MySqlServer> {
    MySqlServer::find().or_else(|| missing("mysql", REMEDY))
}

/// A private MariaDB server. It ends when this is dropped.
pub struct MySqlServer {
    server: PathBuf,
    folder: Folder,
    port: u16,
    password: String,
    process: Option<Process>,
}

impl MySqlServer {
    /// Starts a new server, if its programs are on this machine.
    fn find() -> Option<Self> {
        let install = programs(&["mariadb-install-db"], &[])?.join("mariadb-install-db");
        let folders = SERVERS.iter().map(Path::new).map(Path::to_owned);
        let server = programs(&["mariadbd"], &[])
            .into_iter()
            .chain(folders)
            .map(|folder| folder.join("mariadbd"))
            .find(|server| server.is_file())?;
        let folder = Folder::new("mysql", &["mysql", "nobody"]);
        let password = Uuid::new_v4().simple().to_string();
        let mut install = folder.command(install);
        // Of the machine's own configuration nothing is read. The folder must be a whole path.
        let data = format!("--datadir={}", folder.path.join("data").display());
        // A server that starts removes all temporary tables, those of its neighbours too.
        install.env("TMPDIR", &folder.path);
        install.args(["--no-defaults", &data, "--auth-root-authentication-method=normal"]);
        install.args(["--skip-test-db", "--skip-name-resolve", "--skip-log-bin"]);
        run(install);
        let mut server = Self { server, folder, port: free_port(), password, process: None };
        server.start();
        Some(server)
    }

    /// Starts the server again after [`stop`](Self::stop), on the same port and with all its data.
    pub fn start(&mut self) {
        let data = self.folder.path.join("data").display().to_string();
        let (port, data) = (format!("--port={}", self.port), format!("--datadir={data}"));
        let socket = format!("--socket={}", self.folder.path.join("socket").display());
        let temporary = format!("--tmpdir={}", self.folder.path.display());
        let init = format!("--init-file={}", self.init_file().display());
        // What is here need not survive the machine, but the server, which is killed to stop it.
        let arguments = [
            "--no-defaults",
            &data,
            &port,
            &socket,
            &temporary,
            &init,
            "--bind-address=127.0.0.1",
            "--max-connections=300",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-doublewrite=0",
            "--innodb-buffer-pool-size=32M",
        ];
        self.process = Some(Process::start(&self.folder, "KILL", &self.server, &arguments));
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

    /// What the server executes when it starts: others on this machine could otherwise do through it
    /// what our user may.
    fn init_file(&self) -> PathBuf {
        let path = self.folder.path.join("init.sql");
        let password = &self.password;
        let sql = format!(
            "CREATE OR REPLACE USER tests@127.0.0.1 IDENTIFIED BY '{password}';\n\
             GRANT ALL PRIVILEGES ON *.* TO tests@127.0.0.1 WITH GRANT OPTION;\n\
             DROP USER IF EXISTS root@localhost, root@127.0.0.1, root@'::1';\n"
        );
        std::fs::write(&path, sql).expect("our folder");
        path
    }

    fn options(&self) -> MySqlConnectOptions {
        MySqlConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username("tests")
            .password(&self.password)
            .ssl_mode(MySqlSslMode::Disabled)
    }
}

impl std::fmt::Debug for MySqlServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MySqlServer").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Makes an empty database on a server.
fn database(server: MySqlConnectOptions) -> Database {
    let name = format!("auth_test_{}", Uuid::new_v4().simple());
    let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
    block_on(administer(&server, create))
        .unwrap_or_else(|error| panic!("no database can be made: {error}"));
    let url = server.clone().database(&name).to_url_lossy().to_string();
    let address = format!("{}:{}", server.get_host(), server.get_port());
    Database::new(url, address, move || {
        // A test may have stopped its private server, and the database goes with that.
        let _ = block_on(administer(&server, format!("DROP DATABASE IF EXISTS {name}")));
    })
}

async fn administer(server: &MySqlConnectOptions, statement: String) -> Result<(), sqlx::Error> {
    let mut connection = server.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}
