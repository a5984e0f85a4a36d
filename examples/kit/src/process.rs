//! The program: its log, its arguments, and a server that says where it is and stops
//! when it is told to.
#![allow(clippy::print_stdout, reason = "a program that a person starts says where it is")]

use std::{fmt::Display, io, net::SocketAddr, pin::Pin, time::Duration};

use auth_poem::prelude::*;
use poem::{
    IntoEndpoint, Route, Server,
    listener::{Acceptor, Listener, TcpListener},
};
use poem_openapi::OpenApi;
use tracing_subscriber::EnvFilter;

/// How long running requests may take to finish when the process is asked to stop.
const GRACE: Duration = Duration::from_secs(8);

/// An example that has been started.
///
/// Made first of all: it writes the log, and from then on Ctrl-C and SIGTERM end the server, also
/// one that does not run yet.
#[must_use = "without it nothing is logged and Ctrl-C ends the process in the middle of a request"]
pub struct Process {
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").finish_non_exhaustive()
    }
}

impl Process {
    /// Starts the log, on standard error, as `RUST_LOG` says (default `info`), and listens for
    /// signals.
    ///
    /// # Errors
    ///
    /// - the system does not let it listen for signals
    pub fn start() -> io::Result<Self> {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
        Ok(Self { stopped: Box::pin(stop_signal()?) })
    }

    /// Whether the program was called with `--access`, and should say who may call what in place
    /// of serving anybody.
    #[must_use]
    pub fn wants_access_report(&self) -> bool {
        std::env::args().any(|argument| argument == "--access")
    }

    /// What stands behind an argument, as in `--probe cookie`.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<String> {
        std::env::args().skip_while(|argument| argument != name).nth(1)
    }

    /// Prints the access report.
    pub fn print_access_report(&self, report: &impl Display) {
        print!("{report}");
    }

    /// Serves an API, which begins at the path `base`, with its document and a page that shows it,
    /// as [`serve_at`](Self::serve_at) does.
    ///
    /// # Errors
    ///
    /// - the address is taken or not this machine's
    pub async fn serve(
        self,
        address: SocketAddr,
        base: &str,
        routes: impl IntoEndpoint<Endpoint: 'static>,
    ) -> io::Result<()> {
        let places = [("API", base), ("document", "/openapi.json"), ("browser", "/docs")];
        self.serve_at(address, &places, routes).await
    }

    /// Serves an API that is the whole program, with its document and a page that shows it; or
    /// prints who may call what, if the program was asked for that.
    ///
    /// # Errors
    ///
    /// - the address is taken or not this machine's
    pub async fn serve_api<T: OpenApi + 'static>(
        self,
        address: SocketAddr,
        api: AuthApi<T>,
    ) -> io::Result<()> {
        if self.wants_access_report() {
            self.print_access_report(&api.access_report());
            return Ok(());
        }
        let routes =
            Route::new().at("/openapi.json", api.spec_endpoint()).nest("/docs", api.swagger_ui());
        self.serve(address, "", routes.nest("/", api)).await
    }

    /// Serves until the process is told to stop, and then lets running requests finish. Prints
    /// where these places are, each a name and a path.
    ///
    /// # Errors
    ///
    /// - the address is taken or not this machine's
    pub async fn serve_at(
        self,
        address: SocketAddr,
        places: &[(&str, &str)],
        routes: impl IntoEndpoint<Endpoint: 'static>,
    ) -> io::Result<()> {
        // Said only when it is so: with port 0 the system chooses, and what is printed answers.
        let listener = TcpListener::bind(address).into_acceptor().await?;
        let bound = listener.local_addr();
        let address = bound.first().and_then(|bound| bound.as_socket_addr()).unwrap_or(&address);
        for (name, path) in places {
            println!("{name:8}  http://{address}{path}");
        }
        Server::new_with_acceptor(listener)
            .run_with_graceful_shutdown(routes, self.stopped, Some(GRACE))
            .await
    }
}

/// Listens for Ctrl-C and SIGTERM from now on; the future ends with the first of them.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends with the first Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "Ctrl-C will not be noticed");
            std::future::pending::<()>().await;
        }
    })
}
