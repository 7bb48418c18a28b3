//! [`Socket`]: a client of @therms over a WebSocket, on a port or at the end of a pipe.

use crate::{
    http_client::{upgrade, upgraded},
    wire::{Arrival, Wire},
};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) struct Socket<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

impl Socket {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self { stream: upgrade(address).await.unwrap(), read: Vec::new() }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(crate) async fn over(stream: S) -> Self {
        Self { stream: upgraded(stream, "localhost").await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.stream.write_all(&Wire::WebSocket.wrap(message.to_string().as_bytes())).await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> Value {
        loop {
            if let Some((Arrival::Document(text), length)) = Wire::WebSocket.cut(&self.read) {
                self.read.drain(..length);
                return serde_json::from_str(&text).unwrap();
            }
            assert_ne!(self.stream.read_buf(&mut self.read).await.unwrap(), 0, "{:?}", self.read);
        }
    }
}
