//! A client for HTTP/1.1, as small as it can be: one request a connection. A
//! codec of its own, like [`Wire`](crate::wire::Wire).

use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

/// One request.
pub(crate) struct Request<'r> {
    pub(crate) method: &'r str,
    pub(crate) path: &'r str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Sends the body in two chunks.
    pub(crate) chunked: bool,
    /// Sends nothing but the head.
    pub(crate) head_only: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl<'r> Request<'r> {
    pub(crate) fn new(method: &'r str, body: Vec<u8>) -> Self {
        Self { method, path: "/", headers: Vec::new(), body, chunked: false, head_only: false }
    }

    /// A POST of a document.
    pub(crate) fn post(document: &[u8]) -> Self {
        Self::new("POST", document.to_vec()).header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends the request, and gives what comes until the server hangs up.
    pub(crate) async fn send(self, address: SocketAddr) -> Result<Response, String> {
        let mut stream = dial(address).await?;
        let (mut reader, mut writer) = stream.split();
        let mut bytes = self.head(address).into_bytes();
        if !self.head_only {
            bytes.extend(self.framed_body());
        }
        let mut answer = Vec::new();
        let (sent, read) = tokio::join!(writer.write_all(&bytes), reader.read_to_end(&mut answer));
        match Response::read(&answer) {
            // an answer counts though the server did not read all that was sent
            Some(response) => Ok(response),
            None => Err(format!("no answer: {:?}, {:?}", sent.err(), read.err())),
        }
    }

    fn head(&self, address: SocketAddr) -> String {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.chunked {
            head += "transfer-encoding: chunked\r\n";
        } else if !self.head_only && self.method != "GET" && self.method != "HEAD" {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        head + "\r\n"
    }

    fn framed_body(&self) -> Vec<u8> {
        if !self.chunked {
            return self.body.clone();
        }
        let (first, second) = self.body.split_at(self.body.len() / 2);
        let chunk = |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        [chunk(first), chunk(second), b"0\r\n\r\n".to_vec()].concat()
    }
}

impl Response {
    fn read(answer: &[u8]) -> Option<Self> {
        let answer = std::str::from_utf8(answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let header = |line: &str| {
            line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<Option<_>>()?;
        let mut response = Self { status, headers, body: body.to_owned() };
        if response.header("transfer-encoding") == Some("chunked") {
            response.body = joined(body)?;
        }
        Some(response)
    }

    /// A header, without its parameters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        value.split(';').next().map(str::trim)
    }
}

/// The chunks of a body, joined.
fn joined(mut chunks: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (length, rest) = chunks.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        body += rest.get(..length)?;
        chunks = rest.get(length + 2..)?;
        if length == 0 {
            return Some(body);
        }
    }
}

/// A connection that sends what it is given at once.
pub(crate) async fn dial(address: SocketAddr) -> Result<TcpStream, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}

/// A connection that has become a WebSocket.
pub(crate) async fn upgrade(address: SocketAddr) -> Result<TcpStream, String> {
    upgraded(dial(address).await?, &address.to_string()).await
}

/// Asks for a WebSocket, over a stream that is there already: RFC 6455, section 4.1.
pub(crate) async fn upgraded<S>(mut stream: S, host: &str) -> Result<S, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!(
        "GET / HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.map_err(|error| error.to_string())?);
    }
    let response = Response::read(&head).ok_or("no answer to the handshake")?;
    // the answer to the key that the RFC has for its example
    match (response.status, response.header("sec-websocket-accept")) {
        (101, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) => Ok(stream),
        _ => Err(format!("{response:?}")),
    }
}
