//! What the framework writes to the log.

use std::{
    cell::RefCell,
    io,
    marker::PhantomData,
    sync::{Arc, Mutex, Once},
};

use tracing_subscriber::fmt::MakeWriter;

thread_local! {
    static HERE: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// Everything that this thread logs, down to `TRACE`, as long as this lives.
///
/// A test on a runtime of one thread sees its own lines and no others.
pub struct Logs {
    lines: Lines,
    /// Stays on its thread.
    thread: PhantomData<*const ()>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

/// Writes for whoever listens on this thread.
struct Here;

impl Logs {
    /// Begins to listen.
    #[must_use]
    pub fn capture() -> Self {
        // One subscriber for the process: with one per thread, which events are looked at at all
        // depends on what other threads do at the same time.
        static INSTALL: Once = Once::new();
        INSTALL.call_once(|| {
            tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_ansi(false)
                .with_writer(Here)
                .init();
        });
        let lines = Lines::default();
        HERE.set(Some(lines.clone()));
        Self { lines, thread: PhantomData }
    }

    /// What was logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.0.lock().unwrap()).into_owned()
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        HERE.set(None);
    }
}

impl std::fmt::Debug for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logs")
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Here {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        HERE.with_borrow(|here| here.clone().unwrap_or_default())
    }
}
