//! T15: names that nobody has, each another: nothing of them is kept.

use crate::server::{memory, serve};
use std::fmt::Write as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use trunkline::Limits;

/// So many names of so many bytes would be noticed.
const NAMES: usize = 100_000;
const LONG: usize = 1000;

#[tokio::test]
async fn names_that_nobody_has_leave_nothing_behind() {
    let server = serve(Limits::default()).await;
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let before = memory();
    let asking = async {
        let mut frame = String::new();
        for number in 0..NAMES {
            frame.clear();
            let id = number;
            writeln!(frame, r#"{{"jsonrpc":"2.0","id":{id},"method":"{number:0LONG$}"}}"#).unwrap();
            writer.write_all(frame.as_bytes()).await.unwrap();
        }
    };
    let hearing = async {
        let (mut answers, mut buffer) = (0, vec![0; 64 << 10]);
        while answers < NAMES {
            let count = reader.read(&mut buffer).await.unwrap();
            assert!(count > 0, "closed after {answers} answers");
            answers += buffer[..count].iter().filter(|byte| **byte == b'\n').count();
        }
    };
    tokio::join!(asking, hearing);
    let grown = memory().saturating_sub(before);
    assert!(grown < NAMES * LONG / 5, "{grown} bytes of memory for {NAMES} unknown names");
    server.serves().await;
}
