//! [`Contact`]: a caller's end of a connection.

use crate::{
    compare,
    reply::cut,
    wire::{self, Arrival, Wire},
};
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

/// How long something that must come may take. Never waited for, unless a test fails.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing may happen on the clock of the test until all has happened.
/// That clock moves only while everybody waits for it.
const QUIET: Duration = Duration::from_secs(5);
/// A request whose answer shows that all before it has been heard.
const ALIVE: &[u8] = br#"{"jsonrpc":"2.0","id":"alive","method":"get_data"}"#;

/// A caller's end of a connection.
pub(crate) struct Contact {
    wire: Wire,
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    reading: JoinHandle<()>,
}

impl Contact {
    /// Takes up contact over `stream`.
    pub(crate) fn new(stream: impl AsyncRead + AsyncWrite + Send + 'static, wire: Wire) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let reading = tokio::spawn(read(reader, wire, arrived));
        Self { wire, writer: Box::new(writer), arrivals, reading }
    }

    /// Sends a document, and gives the replies to it: `replies` of them, and what
    /// else has come when a follow-up request is answered.
    pub(crate) async fn ask(&mut self, document: &[u8], replies: usize) -> Result<Vec<String>, String> {
        self.raw(&self.wire.wrap(document)).await?;
        let mut got = Vec::new();
        while got.len() < replies {
            got.push(self.document().await?);
        }
        self.raw(&self.wire.wrap(ALIVE)).await?;
        let alive = json!({"id": "alive", "result": ["hello", 5]});
        loop {
            let text = self.document().await.map_err(|why| format!("it does not live on: {why}; {got:?}"))?;
            if compare::reply(&alive, &text).is_ok() {
                return Ok(got);
            }
            got.push(text);
        }
    }

    /// Sends bytes as they are.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        match timeout(PATIENCE, sent).await {
            Ok(sent) => sent.map_err(|error| format!("could not send: {error}")),
            Err(_) => Err("the far side does not read".to_owned()),
        }
    }

    /// Lets everybody else do what there is to do. Only on a clock that stands still.
    pub(crate) async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// The next document.
    pub(crate) async fn document(&mut self) -> Result<String, String> {
        match self.arrival().await? {
            Some(Arrival::Document(text)) => Ok(text),
            Some(other) => Err(format!("{other:?} in place of a reply")),
            None => Err("the connection ended in place of a reply".to_owned()),
        }
    }

    /// What comes next; `None` at the end.
    pub(crate) async fn arrival(&mut self) -> Result<Option<Arrival>, String> {
        timeout(PATIENCE, self.arrivals.recv()).await.map_err(|_| "no reply comes".to_owned())
    }

    /// All that comes until nothing happens any more, and whether the connection
    /// has ended. Only on a clock that stands still.
    pub(crate) async fn until_quiet(&mut self) -> (Vec<Arrival>, bool) {
        let mut all = Vec::new();
        loop {
            match timeout(QUIET, self.arrivals.recv()).await {
                Ok(Some(arrival)) => all.push(arrival),
                ended => return (all, ended.is_ok()),
            }
        }
    }

    /// Ends this side's direction.
    pub(crate) async fn end(&mut self) -> Result<(), String> {
        if self.wire == Wire::WebSocket {
            self.raw(&wire::close(1000)).await
        } else {
            self.writer.shutdown().await.map_err(|error| format!("could not end: {error}"))
        }
    }

    /// All that comes until the far side ends its direction.
    pub(crate) async fn until_end(&mut self) -> Result<Vec<Arrival>, String> {
        let mut all = Vec::new();
        while let Some(arrival) = self.arrival().await.map_err(|_| "the far side does not end".to_owned())? {
            all.push(arrival);
        }
        Ok(all)
    }

    /// Ends the connection. Nothing may come that has not been asked for.
    pub(crate) async fn finish(mut self) -> Result<(), String> {
        self.end().await?;
        let goodbye: &[Arrival] = if self.wire == Wire::WebSocket { &[Arrival::Close(1000)] } else { &[] };
        let rest = self.until_end().await?;
        if rest == goodbye { Ok(()) } else { Err(format!("left over: {}", cut(&format!("{rest:?}")))) }
    }
}

/// Hangs up: nothing is left of a connection when its vector is done.
impl Drop for Contact {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// The documents among what came.
pub(crate) fn documents(arrivals: Vec<Arrival>) -> Result<Vec<String>, String> {
    let text = |arrival| match arrival {
        Arrival::Document(text) => Ok(text),
        other => Err(format!("{other:?} in place of a reply")),
    };
    arrivals.into_iter().map(text).collect()
}

async fn read<S: AsyncRead>(mut reader: ReadHalf<S>, wire: Wire, arrived: mpsc::UnboundedSender<Arrival>) {
    let mut stream = Vec::with_capacity(64 << 10);
    // a connection that breaks has ended too
    while let Ok(1..) = reader.read_buf(&mut stream).await {
        let mut taken = 0;
        while let Some((arrival, length)) = wire.cut(&stream[taken..]) {
            taken += length;
            if arrived.send(arrival).is_err() {
                return;
            }
        }
        stream.drain(..taken);
    }
    if !stream.is_empty() {
        let rest = stream.escape_ascii().take(200).map(char::from).collect();
        let _ = arrived.send(Arrival::Garbage(rest));
    }
}
