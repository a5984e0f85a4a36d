//! A network that does what a test wants: [`Proxy`].

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// Stands between a client and a server, and passes everything on until it is told otherwise. What
/// it is told holds for connections that exist too.
pub struct Proxy {
    address: SocketAddr,
    network: Arc<Network>,
}

/// What the threads of a proxy share.
struct Network {
    server: SocketAddr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    refuses: bool,
    closed: bool,
    delay: Duration,
    /// How many more bytes of answers pass before one is cut.
    left: Option<usize>,
    /// What a client says before no more of them pass.
    last_words: Option<Vec<u8>>,
    /// Both ends of each connection.
    connections: HashMap<u64, [TcpStream; 2]>,
    next: u64,
}

impl Proxy {
    /// A proxy in front of a server, on a free port.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        let network = Arc::new(Network { server, state: Mutex::default() });
        let accepting = Arc::clone(&network);
        thread::spawn(move || accepting.accept(&listener));
        Self { address, network }
    }

    /// Where clients connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Delays whatever the server says.
    pub fn delay(&self, delay: Duration) {
        self.network.state().delay = delay;
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        self.network.state().cut();
    }

    /// Cuts a connection in the middle of its answer, when so many more bytes of answers have
    /// passed.
    pub fn cut_after(&self, bytes: usize) {
        self.network.state().left = Some(bytes);
    }

    /// Cuts a connection when its client has said this, which the server still hears: what it
    /// answers is lost.
    pub fn cut_after_saying(&self, words: &str) {
        self.network.state().last_words = Some(words.into());
    }

    /// Closes new connections at once, or serves them again.
    pub fn refuse(&self, refuses: bool) {
        self.network.state().refuses = refuses;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.network.state();
        state.closed = true;
        state.cut();
        drop(state);
        // The listener sees that it is closed when somebody comes.
        let _ = TcpStream::connect(self.address);
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl State {
    fn cut(&mut self) {
        for [client, server] in self.connections.drain().map(|(_, ends)| ends) {
            // An end that is gone already needs no cut.
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        }
    }
}

impl Network {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the proxy panics")
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let state = self.state();
            if state.closed {
                return;
            }
            let refuses = state.refuses;
            drop(state);
            // Whoever cannot be connected is closed by this.
            if let (Ok(client), false) = (client, refuses) {
                let _ = self.connect(client);
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ends = [client.try_clone()?, server.try_clone()?];
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.connections.insert(number, ends);
        drop(state);
        let (from, to) = (client.try_clone()?, server.try_clone()?);
        let network = Arc::clone(self);
        thread::spawn(move || {
            let _ = pass_on(from, to, |said| network.question(said));
            network.end(number);
        });
        let network = Arc::clone(self);
        thread::spawn(move || {
            let _ = pass_on(server, client, |said| network.answer(said.len()));
            network.end(number);
        });
        Ok(())
    }

    /// Passes whatever a client says, at once, and listens.
    fn question(&self, said: &[u8]) -> (usize, Duration) {
        let mut state = self.state();
        let are_said = |words: &[u8]| said.windows(words.len()).any(|some| some == words);
        if state.last_words.as_deref().is_some_and(are_said) {
            state.last_words = None;
            state.left = Some(0);
        }
        (said.len(), Duration::ZERO)
    }

    /// How many bytes of an answer pass, and when.
    fn answer(&self, bytes: usize) -> (usize, Duration) {
        let mut state = self.state();
        let passing = state.left.map_or(bytes, |left| left.min(bytes));
        // Only one answer is cut.
        state.left = state.left.filter(|_| passing == bytes).map(|left| left - passing);
        (passing, state.delay)
    }

    fn end(&self, number: u64) {
        if let Some([client, server]) = self.state().connections.remove(&number) {
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        }
    }
}

/// Passes on what one end says, as `pass` allows it, until an end is reached or something is kept.
fn pass_on(
    mut from: TcpStream,
    mut to: TcpStream,
    pass: impl Fn(&[u8]) -> (usize, Duration),
) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let said = from.read(&mut buffer)?;
        let (passing, delay) = pass(&buffer[..said]);
        thread::sleep(delay);
        to.write_all(&buffer[..passing])?;
        if said == 0 || passing < said {
            return Ok(());
        }
    }
}
