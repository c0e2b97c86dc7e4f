//! Connections: bounded in number and in patience, over TLS beyond this machine.

use super::guard::{Gate, Peer};
use super::patient::Patient;
use super::router;
use super::tls::Tls;
use crate::app::hub::Hub;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// Connections at a time: a thousand pages, and some.
const CONNECTIONS_MAX: usize = 2048;
/// The same from one address beyond this machine: the pages and programs of one computer.
const PER_ADDRESS_MAX: usize = 64;
/// The same over the socket in the records' folder.
const OWNERS_MAX: usize = 16;
/// A request's head must arrive within this time, and the next after an answer; so must a TLS handshake.
const HEAD: Duration = Duration::from_secs(10);
/// Headers of a request; their size is bounded by the guard.
const HEADERS_MAX: usize = 64;
/// Who takes nothing of an answer for so long is cut off; a page comes back and gets what it missed.
const STALLED: Duration = Duration::from_secs(15);
/// After a connection that could not be taken the next is tried so much later.
const PAUSE: Duration = Duration::from_millis(200);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address beyond this machine, without TLS.
    #[error("{0} is beyond this machine: there the room is served over TLS only")]
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

/// Where and to whom the room is open.
#[derive(Debug, Clone)]
pub struct Doors {
    /// Where.
    pub address: SocketAddr,
    /// Must be there beyond this machine.
    pub tls: Option<Tls>,
    /// Tokens are asked for on this machine too; beyond it they always are.
    pub tokens: bool,
    /// Names under which the room may be asked for, beside those of this machine.
    pub hosts: Vec<String>,
    /// A socket for whoever owns its folder, who may do everything.
    pub socket: Option<PathBuf>,
}

/// What serves until it is dropped.
pub struct Server {
    /// Where.
    pub address: SocketAddr,
    runtime: Option<Runtime>,
    socket: Option<PathBuf>,
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
        if let Some(socket) = &self.socket {
            // The next one removes it too.
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// Serves `hub` on `address` of this machine, to everybody there.
///
/// # Errors
/// See [`ServeError`].
pub fn serve(hub: Hub, address: SocketAddr) -> Result<Server, ServeError> {
    serve_at(hub, Doors { address, tls: None, tokens: false, hosts: Vec::new(), socket: None })
}

/// Serves `hub` at `doors`.
///
/// # Errors
/// See [`ServeError`].
pub fn serve_at(hub: Hub, doors: Doors) -> Result<Server, ServeError> {
    let address = doors.address;
    if !address.ip().is_loopback() && doors.tls.is_none() {
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
    let gate = Arc::new(Gate::new(hub.clone(), &doors));
    let router = router(hub, gate);
    let mut socket = None;
    if let Some(path) = doors.socket {
        let _inside = runtime.enter();
        match owners(&path) {
            Ok(listener) => {
                runtime.spawn(accept_owners(listener, router.clone()));
                socket = Some(path);
            }
            // The room guards without it.
            Err(error) => tracing::warn!("{}: {error}: `emcon token` will not work", path.display()),
        }
    }
    runtime.spawn(accept(listener, router, doors.tls.map(|tls| TlsAcceptor::from(tls.config))));
    Ok(Server { address, runtime: Some(runtime), socket })
}

/// The socket at `path`, for its owner alone. One that was left behind is removed: the records' lock says that nobody
/// else serves there.
fn owners(path: &Path) -> std::io::Result<UnixListener> {
    if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn accept_owners(listener: UnixListener, router: axum::Router) {
    let room = Arc::new(Semaphore::new(OWNERS_MAX));
    let router = router.layer(axum::Extension(Peer::Owner));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    answer(stream, router).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn accept(listener: TcpListener, router: axum::Router, tls: Option<TlsAcceptor>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let guests = Guests::default();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, from)) => {
                // One that has too many is cut off without a word.
                let Some(guest) = guests.enter(from.ip().to_canonical()) else { continue };
                let router = router.clone().layer(axum::Extension(Peer::At(from.ip().to_canonical())));
                let tls = tls.clone();
                tokio::spawn(async move {
                    connection(stream, router, tls).await;
                    drop((permit, guest));
                });
            }
            // Out of descriptors, most likely: others will close.
            Err(error) => {
                tracing::warn!("cannot take a connection: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: axum::Router, tls: Option<TlsAcceptor>) {
    // An alert does not wait for more to send.
    let _ = stream.set_nodelay(true);
    match tls {
        None => answer(stream, router).await,
        Some(tls) => {
            // Who does not shake hands, or in time, needs no answer.
            if let Ok(Ok(stream)) = tokio::time::timeout(HEAD, tls.accept(stream)).await {
                answer(stream, router).await;
            }
        }
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: axum::Router) {
    // Who went away in the middle needs no answer.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(Patient::new(stream, STALLED)), TowerToHyperService::new(router))
        .with_upgrades()
        .await;
}

/// Connections by address.
#[derive(Debug, Clone, Default)]
struct Guests(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One connection, until it is dropped.
#[derive(Debug)]
struct Guest(Guests, IpAddr);

impl Guests {
    /// Lets one more in, unless its address has too many. This machine's own are bounded by the total alone.
    fn enter(&self, address: IpAddr) -> Option<Guest> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= PER_ADDRESS_MAX && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Guest(self.clone(), address))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = counts.get_mut(&self.1).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            counts.remove(&self.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_so_many_connections() {
        let guests = Guests::default();
        let far = IpAddr::from([192, 0, 2, 1]);
        let mut held: Vec<Guest> = (0..PER_ADDRESS_MAX).map_while(|_| guests.enter(far)).collect();
        assert_eq!(held.len(), PER_ADDRESS_MAX);
        assert!(guests.enter(far).is_none());
        assert!(guests.enter(IpAddr::from([192, 0, 2, 2])).is_some());
        held.pop();
        assert!(guests.enter(far).is_some());
        let near = IpAddr::from([127, 0, 0, 1]);
        assert_eq!((0..1000).map_while(|_| guests.enter(near)).collect::<Vec<_>>().len(), 1000);
        drop(held);
        assert!(guests.0.lock().unwrap().is_empty());
    }
}
