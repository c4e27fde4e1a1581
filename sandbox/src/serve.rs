//! The sandbox over TCP, for any AWS client.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, State, connect_info::Connected},
    http::{Request, StatusCode},
    response::{IntoResponse as _, Response},
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

use crate::{Sandbox, SandboxTime, sandbox::Outcome, sqs};

/// The largest body that is read.
const BODY_MOST: usize = 64 * 1024 * 1024;

pub(crate) async fn serve(
    sandbox: Sandbox,
    listener: TcpListener,
    time: SandboxTime,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = Router::new().fallback(answer).with_state((sandbox, time));
    let service = app.into_make_service_with_connect_info::<Peer>();
    axum::serve(Cuttable(listener), service).with_graceful_shutdown(shutdown).await
}

async fn answer(
    State((sandbox, time)): State<(Sandbox, SandboxTime)>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_MOST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = Request::from_parts(parts, body);
    let half = sandbox.half_latency();
    tokio::time::sleep(half).await;
    sqs::wait(&sandbox, time, &request).await;
    let released = sandbox.released.notified();
    match sandbox.exchange(time.now(), &request) {
        Outcome::Answer(response, more) => {
            tokio::time::sleep(half + more).await;
            response.map(Body::from)
        }
        Outcome::Reset => peer.cut(),
        Outcome::Silence => {
            released.await;
            peer.cut()
        }
    }
}

/// The other end of a connection.
#[derive(Debug, Clone)]
struct Peer {
    is_cut: Arc<AtomicBool>,
}

impl Peer {
    /// Cuts the connection; the answer given to the server never leaves it.
    fn cut(&self) -> Response {
        self.is_cut.store(true, Ordering::Release);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Cuttable>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A listener whose connections can be cut.
struct Cuttable(TcpListener);

impl Listener for Cuttable {
    type Io = CuttableStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (CuttableStream, Peer) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set nodelay");
        }
        let is_cut = Arc::new(AtomicBool::new(false));
        let peer = Peer { is_cut: Arc::clone(&is_cut) };
        (CuttableStream { stream, is_cut }, peer)
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { is_cut: Arc::new(AtomicBool::new(false)) })
    }
}

/// A connection that can be cut before an answer is written.
struct CuttableStream {
    stream: TcpStream,
    is_cut: Arc<AtomicBool>,
}

impl CuttableStream {
    /// An error once the connection is cut; closing it then sends a reset.
    fn intact(&self) -> io::Result<()> {
        if self.is_cut.load(Ordering::Acquire) {
            self.stream.set_zero_linger()?;
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by a fault"));
        }
        Ok(())
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.intact()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.intact()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
