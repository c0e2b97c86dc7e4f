//! Connections: bounded in number and in patience.

use super::router;
use crate::app::hub::Hub;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// Connections at a time: a thousand pages, and some.
const CONNECTIONS_MAX: usize = 2048;
/// A request's head must arrive within this time.
const HEAD: Duration = Duration::from_secs(10);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address beyond this machine.
    #[error(
        "{0} is not on this machine: beyond the loopback the room would need TLS and tokens, which it does not have; listen on 127.0.0.1"
    )]
    Beyond(SocketAddr),
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {source}; take another with --listen ADDRESS:PORT")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// No threads to serve with.
    #[error("cannot start to serve: {0}")]
    Runtime(std::io::Error),
}

/// What serves until it is dropped.
pub struct Server {
    /// Where.
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Server {
    /// Runs `task` where requests are answered; it ends with the server.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(task);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Streams of events never end by themselves.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Serves `hub` on `address`.
///
/// # Errors
/// See [`ServeError`].
pub fn serve(hub: Hub, address: SocketAddr) -> Result<Server, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::Beyond(address));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("web")
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    let bind = |source| ServeError::Bind { address, source };
    let listener = runtime.block_on(TcpListener::bind(address)).map_err(bind)?;
    let address = listener.local_addr().map_err(bind)?;
    runtime.spawn(accept(listener, hub));
    Ok(Server { address, runtime: Some(runtime) })
}

async fn accept(listener: TcpListener, hub: Hub) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let router = router(hub);
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    connection(stream, router).await;
                    drop(permit);
                });
            }
            // Out of descriptors, most likely: others will close.
            Err(error) => {
                tracing::warn!("cannot take a connection: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: axum::Router) {
    // An alert does not wait for more to send.
    let _ = stream.set_nodelay(true);
    // Who went away in the middle needs no answer.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades()
        .await;
}
