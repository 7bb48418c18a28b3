//! [`Wire`]: the far end of a connection, in plain text.

use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use trunkline::{Client, Connection, JsonRpc, Limits, Link, Router, Service, framing::Lines, serve};

/// One end of a connection in memory of newline-delimited JSON; a server is at the other.
pub(crate) struct Wire {
    reader: BufReader<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
    served: tokio::task::JoinHandle<String>,
}

/// A service with these limits.
pub(crate) fn service(router: Router, limits: Limits) -> Service {
    Service::new(router, JsonRpc::default()).limits(limits)
}

/// A link over one end of a stream in memory.
pub(crate) fn link(stream: DuplexStream, limits: &Limits) -> Link {
    Link::new(stream, Lines::default().limit(limits.max_message), Connection::new("memory", "jsonrpc"))
}

impl Wire {
    /// Connects to a server of `router`.
    pub(crate) fn to(router: Router) -> Self {
        Self::with_limits(router, Limits::default())
    }

    pub(crate) fn with_limits(router: Router, limits: Limits) -> Self {
        Self::of(service(router, limits))
    }

    /// Over a stream at whose far end a server is already.
    #[allow(dead_code, reason = "scenarios of other kinds need it")]
    pub(crate) fn over(here: DuplexStream) -> Self {
        let (reader, writer) = tokio::io::split(here);
        let served = tokio::spawn(std::future::pending());
        Self { reader: BufReader::new(reader), writer, served }
    }

    pub(crate) fn of(service: Service) -> Self {
        let (here, there) = tokio::io::duplex(64 << 10);
        let served = tokio::spawn(async move {
            let link = link(there, service.limits_in_force());
            serve(link, &service).await.to_string()
        });
        let (reader, writer) = tokio::io::split(here);
        Self { reader: BufReader::new(reader), writer, served }
    }

    /// Sends text as it is.
    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.writer.write_all(text.as_ref()).await.unwrap();
    }

    /// Sends one line.
    pub(crate) async fn line(&mut self, text: impl AsRef<str>) {
        self.send(format!("{}\n", text.as_ref())).await;
    }

    /// The next message from the server.
    pub(crate) async fn next(&mut self) -> Value {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        let count = tokio::time::timeout(Duration::from_secs(600), read).await.expect("an answer").unwrap();
        assert!(count > 0, "the server closed the connection");
        serde_json::from_str(&line).expect("one line is one JSON value")
    }

    /// The next message from the server, as spelled.
    pub(crate) async fn next_text<'a>(&mut self, line: &'a mut String) -> &'a str {
        self.reader.read_line(line).await.unwrap();
        line.trim_end()
    }

    /// Sends one line and gives the answer.
    pub(crate) async fn ask(&mut self, text: impl AsRef<str>) -> Value {
        self.line(text).await;
        self.next().await
    }

    /// Asserts that nothing is due, and that the connection is well.
    pub(crate) async fn is_well(&mut self) {
        let answer = self.ask(r#"{"jsonrpc":"2.0","id":"well?","method":"no.such"}"#).await;
        assert_eq!(answer["id"], "well?", "something else was due");
    }

    /// Ends this direction: nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        self.writer.shutdown().await.unwrap();
    }

    /// Waits for the server to end the connection, without reading: the reason.
    pub(crate) async fn ended(self) -> String {
        self.served.await.unwrap()
    }
}

/// A client of `router` over a connection in memory; `own` serves the server.
pub(crate) fn client(router: Router, limits: Limits, own: Router) -> Client {
    let (here, there) = tokio::io::duplex(64 << 10);
    let service = service(router, limits.clone());
    let far = link(there, &limits);
    tokio::spawn(async move { serve(far, &service).await });
    Client::over(link(here, &limits)).router(own).limits(limits).connect_lazy().unwrap()
}

/// The code of an error reply.
#[track_caller]
pub(crate) fn code(reply: &Value) -> i64 {
    reply["error"]["code"].as_i64().unwrap_or_else(|| panic!("{reply} is no error"))
}

/// A request.
pub(crate) fn request(id: impl serde::Serialize, method: &str, params: Value) -> String {
    serde_json::json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}
