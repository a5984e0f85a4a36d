//! Points at which an operation waits for the test, so that races happen on purpose.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Where slow operations wait. Clones are the same gates.
#[derive(Debug, Clone)]
pub struct Gates {
    reached: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Default for Gates {
    fn default() -> Self {
        Self { reached: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }
}

impl Gates {
    /// In an operation: says that it is here, and waits to be let through.
    pub async fn pass(&self) {
        self.reached.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }

    /// In a test: waits until that many operations are here.
    pub async fn reached(&self, operations: u32) {
        self.reached.acquire_many(operations).await.unwrap().forget();
    }

    /// In a test: lets that many operations through.
    pub fn open(&self, operations: usize) {
        self.open.add_permits(operations);
    }
}
