//! [`Wire`]: the far end of a connection, played by a test.

use super::TestServer;
use crate::{Client, Ended, Limits, Link, client::Builder};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    fmt::{self, Display},
    io,
    panic::Location,
    pin::pin,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, ReadHalf, WriteHalf, duplex},
    task::JoinHandle,
    time::timeout,
};
use trunkline_net::ByteStream;

/// How long a test waits for what has to come. Never waited for, unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same on a clock that is stopped, by which others wait for long.
const PATIENCE_WHEN_STOPPED: Duration = Duration::from_secs(24 * 60 * 60);

/// The far end of a connection, played by a test: one JSON value a line.
///
/// It says what a program of good manners would not, and sees what is really said. At
/// the other end is a [server](Self::to), a [client](Self::to_client), or [whoever reads
/// the stream](Self::over). Dropping it hangs up; a test that does not read from it keeps
/// the other side from writing once [so much](TestServer::pipe) is on its way.
///
/// What does not come as it is expected to, within a minute, or a day on a clock that is
/// stopped, is a panic that says what was expected, what came instead, and where.
///
/// ```
/// use serde_json::json;
/// use trunkline::{Router, testing::Wire};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut wire = Wire::to(Router::new().procedure("ping", async || "pong"));
/// wire.line(r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#).await;
/// wire.expect(json!({"jsonrpc": "2.0", "id": 1, "result": "pong"})).await;
///
/// wire.line("this is no JSON").await;
/// assert_eq!(wire.next().await["error"]["code"], -32700);
/// # }
/// ```
pub struct Wire {
    reader: BufReader<ReadHalf<Box<dyn ByteStream>>>,
    writer: WriteHalf<Box<dyn ByteStream>>,
    served: Option<JoinHandle<Ended>>,
}

#[expect(clippy::missing_panics_doc, reason = "a script panics when it fails: the type says so once for all")]
impl Wire {
    /// Connects to a server: to what [`TestServer::new`] takes, or to one of these.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    #[must_use]
    pub fn to(server: impl Into<TestServer>) -> Self {
        let server = server.into();
        let (near, far) = server.pair();
        Self { served: Some(server.serve(far)), ..Self::over(near) }
    }

    /// A client that is to be set up, and the server that it will have.
    ///
    /// ```
    /// use trunkline::testing::Wire;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (client, mut server) = Wire::to_client();
    /// let client = client.connect_lazy()?;
    /// let script = async {
    ///     let id = server.expect_call("add", (2, 3)).await;
    ///     server.answer(id, "five").await;
    /// };
    /// let (sum, ()) = tokio::join!(client.call::<i64>("add", (2, 3)), script);
    /// assert!(sum.is_err(), "five is no number");
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_client() -> (Builder, Self) {
        let (near, far) = duplex(64 << 10);
        (Client::over(Link::in_process(far, Limits::default().max_reply)), Self::over(near))
    }

    /// One end of a stream of any kind: a socket, a pipe.
    #[must_use]
    pub fn over(stream: impl ByteStream + 'static) -> Self {
        let (reader, writer) = tokio::io::split(Box::new(stream) as Box<dyn ByteStream>);
        Self { reader: BufReader::new(reader), writer, served: None }
    }

    /// Sends one line: a [`json!`](serde_json::json), or any text.
    #[track_caller]
    pub fn line(&mut self, line: impl Display) -> impl Future<Output = ()> + Send {
        self.send(format!("{line}\n"))
    }

    /// Sends bytes as they are: half a line, no JSON, no UTF-8.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]> + Send) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move { self.write(bytes.as_ref(), at).await }
    }

    /// The next message.
    #[expect(clippy::should_implement_trait, reason = "what a stream has is called so too")]
    #[track_caller]
    pub fn next(&mut self) -> impl Future<Output = Value> + Send {
        let at = Location::caller();
        async move { self.message("a message", at).await.0 }
    }

    /// The next message, as it is spelled.
    #[track_caller]
    pub fn next_text(&mut self) -> impl Future<Output = String> + Send {
        let at = Location::caller();
        async move { self.some("a message", at).await }
    }

    /// Expects this message next: the same value, however it is spelled.
    #[track_caller]
    pub fn expect(&mut self, expected: Value) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let (came, _) = self.message(&expected.to_string(), at).await;
            assert!(came == expected, "expected {expected}\n and this came: {came}, at {at}");
        }
    }

    /// Expects a call next, with these arguments (`()` is none), and gives its id.
    #[track_caller]
    pub fn expect_call(&mut self, method: &str, args: impl Serialize) -> impl Future<Output = Value> + Send {
        let at = Location::caller();
        let mut expected = json!({"jsonrpc": "2.0", "method": method});
        match json!(args) {
            Value::Null => {}
            args => expected["params"] = args,
        }
        async move {
            let what = format!("{expected} with an id");
            let (mut came, text) = self.message(&what, at).await;
            let id = came.as_object_mut().and_then(|call| call.remove("id"));
            match id {
                Some(id) if came == expected => id,
                _ => panic!("expected {what}\n and this came: {text}, at {at}"),
            }
        }
    }

    /// Expects the far side to say no more.
    #[track_caller]
    pub fn expect_end(&mut self) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            if let Some(line) = self.read("the end of the connection", at).await {
                panic!("expected the end of the connection\n and this came: {line}, at {at}");
            }
        }
    }

    /// Answers a call.
    #[track_caller]
    pub fn answer(&mut self, id: impl Serialize, result: impl Serialize) -> impl Future<Output = ()> + Send {
        self.line(json!({"jsonrpc": "2.0", "id": id, "result": result}))
    }

    /// Sends one line, and gives the next message.
    #[track_caller]
    pub fn ask(&mut self, line: impl Display) -> impl Future<Output = Value> + Send {
        let (at, line) = (Location::caller(), format!("{line}\n"));
        async move {
            self.write(line.as_bytes(), at).await;
            self.message("an answer", at).await.0
        }
    }

    /// Expects that a server has nothing to say, and is well: calls what does not exist,
    /// which has to be the next that it answers.
    #[track_caller]
    pub fn is_well(&mut self) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            self.write(b"{\"jsonrpc\":\"2.0\",\"id\":\"well?\",\"method\":\"no.such\"}\n", at).await;
            let (came, _) = self.message("an answer", at).await;
            assert!(came["id"] == "well?", "expected nothing but an answer\n and this came: {came}, at {at}");
        }
    }

    /// Says no more, and goes on listening.
    #[track_caller]
    pub fn finish(&mut self) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let finished = self.writer.shutdown().await;
            finished.unwrap_or_else(|error| panic!("this direction cannot be ended: {error}, at {at}"));
        }
    }

    /// Waits for a server to end the connection, without reading: why it did.
    ///
    /// # Panics
    ///
    /// Panics if it is no server of this process that is at the far end, or it panics itself.
    pub async fn ended(self) -> Ended {
        let served = self.served.expect("a wire that was made by `Wire::to`");
        served.await.expect("the server of this connection does not panic")
    }

    async fn write(&mut self, bytes: &[u8], at: &Location<'_>) {
        match in_time(self.writer.write_all(bytes)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => panic!("the far side takes nothing more: {error}, at {at}"),
            None => panic!("the far side does not read: nothing more could be sent, at {at}"),
        }
    }

    /// The next message, and how it is spelled.
    async fn message(&mut self, expected: &str, at: &Location<'_>) -> (Value, String) {
        let line = self.some(expected, at).await;
        match serde_json::from_str(&line) {
            Ok(message) => (message, line),
            Err(error) => panic!("expected {expected}\n and this came: {line:?} ({error}), at {at}"),
        }
    }

    /// The next line, which there has to be.
    async fn some(&mut self, expected: &str, at: &Location<'_>) -> String {
        match self.read(expected, at).await {
            Some(line) => line,
            None => panic!("expected {expected}\n and the far side has said its last, at {at}"),
        }
    }

    /// The next line; `None` at the end.
    async fn read(&mut self, expected: &str, at: &Location<'_>) -> Option<String> {
        let mut line = String::new();
        match in_time(self.reader.read_line(&mut line)).await {
            Some(Ok(0)) => None,
            Some(Ok(_)) => Some(line.trim_end().to_owned()),
            // a socket whose far side was dropped
            Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => None,
            Some(Err(error)) => panic!("expected {expected}\n and reading failed: {error}, at {at}"),
            None => panic!("expected {expected}\n and nothing comes, at {at}"),
        }
    }
}

/// What comes of it, if it does while a test has patience.
async fn in_time<F: Future>(future: F) -> Option<F::Output> {
    let (begun, mut future) = (Instant::now(), pin!(future));
    match timeout(PATIENCE, &mut future).await {
        Ok(done) => Some(done),
        // the clock of the system does not stop
        Err(_) if begun.elapsed() >= PATIENCE => None,
        Err(_) => timeout(PATIENCE_WHEN_STOPPED, future).await.ok(),
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("served", &self.served).finish_non_exhaustive()
    }
}
