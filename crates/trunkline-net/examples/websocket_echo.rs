//! Sends every WebSocket message back as it came: what the Autobahn test suite talks to.
//!
//! ```text
//! websocket_echo serve ADDRESS       answers whoever dials
//! websocket_echo run ws://HOST:PORT  dials the suite, once for each of its cases
//! ```

use hyper::{HeaderMap, body::Incoming, server::conn::http1, service::service_fn, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use std::{error::Error, io};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use trunkline_core::{
    Input, Limits, Outbox,
    framing::{Cut, Framing},
};
use trunkline_net::ws::{Connected, Role, WebSocket, accept, connect, write_message};

/// The suite sends messages of 16 MiB.
const LIMIT: usize = 32 << 20;
/// Room for one read, and for one write before the next.
const CHUNK: usize = 64 << 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", address] => serve(TcpListener::bind(address).await?).await,
        ["run", url] => run(url.trim_end_matches('/')).await,
        _ => Err("usage: websocket_echo serve ADDRESS | run ws://HOST:PORT".into()),
    }
}

async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let http = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
            if let Err(error) = http.with_upgrades().await {
                eprintln!("HTTP: {error}");
            }
        });
    }
}

/// Agrees to become a WebSocket, or says why not.
async fn answer(mut request: hyper::Request<Incoming>) -> Result<hyper::Response<String>, io::Error> {
    let response = match accept(&request, &[""; 0]) {
        Ok(response) => response,
        Err(refusal) => return Ok(refusal.response()),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let echoed = async { echo_upgraded(upgrade.await.map_err(io::Error::other)?).await };
        if let Err(error) = echoed.await {
            eprintln!("WebSocket: {error}");
        }
    });
    Ok(response.map(|()| String::new()))
}

async fn echo_upgraded(upgraded: Upgraded) -> io::Result<()> {
    let parts = upgraded
        .downcast::<TokioIo<TcpStream>>()
        .map_err(|_| io::Error::other("the connection is no TCP stream"))?;
    let mut io = parts.io.into_inner();
    echo(&mut io, &parts.read_buf, WebSocket::server(), Role::Server).await?;
    io.shutdown().await?;
    // closing while bytes arrive would cost the far side what was sent to it last
    drain(io).await;
    Ok(())
}

/// The cases of the suite, one after the other, then its report.
async fn run(url: &str) -> Result<(), Box<dyn Error>> {
    let count = case_count(dial(&format!("{url}/getCaseCount")).await?).await?;
    println!("{count} cases");
    for case in 1..=count {
        let case_url = format!("{url}/runCase?case={case}&agent=trunkline");
        // whether the case went well is for the suite to say
        if let Err(error) = echo_dialled(dial(&case_url).await?).await {
            eprintln!("case {case}: {error}");
        }
    }
    Ok(echo_dialled(dial(&format!("{url}/updateReports?agent=trunkline")).await?).await?)
}

/// What the first message says.
async fn case_count(mut suite: Connected<TcpStream>) -> Result<usize, Box<dyn Error>> {
    let (mut framing, mut input) = (WebSocket::client(), Input::default());
    let mut out = Outbox::new(framing.marking());
    input.extend(&suite.leftover);
    loop {
        match framing.cut(&mut input, &mut out)? {
            Cut::Frame(frame) => return Ok(frame.body.as_text()?.parse()?),
            Cut::End => return Err("the suite did not say how many cases it has".into()),
            Cut::Partial { .. } => read(&mut suite.io, &mut input).await?,
            _ => {}
        }
    }
}

async fn dial(url: &str) -> Result<Connected<TcpStream>, Box<dyn Error>> {
    let uri: hyper::Uri = url.parse()?;
    let authority = uri.authority().ok_or("the URL has no host")?.as_str();
    let stream = TcpStream::connect(authority).await?;
    Ok(connect(stream, &uri, &HeaderMap::new(), &Limits::default()).await?)
}

async fn echo_dialled(mut suite: Connected<TcpStream>) -> io::Result<()> {
    echo(&mut suite.io, &suite.leftover, WebSocket::client(), Role::Client).await?;
    // the server is the one to close the connection first
    drain(suite.io).await;
    Ok(())
}

/// Sends back what comes until the far side closes, or breaks the protocol.
async fn echo(io: &mut TcpStream, leftover: &[u8], framing: WebSocket, role: Role) -> io::Result<()> {
    let mut framing = framing.limit(LIMIT);
    let (mut input, mut out) = (Input::default(), Outbox::new(framing.marking()));
    input.extend(leftover);
    loop {
        let more = match framing.cut(&mut input, &mut out) {
            Ok(Cut::Frame(frame)) => {
                write_message(role, frame.body, out.body());
                out.len() > CHUNK
            }
            Ok(Cut::End) => break,
            Ok(cut) => matches!(cut, Cut::Partial { .. }),
            Err(error) => {
                framing.goodbye(error.goodbye, &mut out);
                break;
            }
        };
        if more {
            io.write_all(out.bytes()).await?;
            out.clear(CHUNK);
        }
        if more && read(io, &mut input).await.is_err() {
            break;
        }
    }
    io.write_all(out.bytes()).await
}

/// Drops what comes until the far side is gone, however it goes.
async fn drain(mut io: TcpStream) {
    let _ = tokio::io::copy(&mut io, &mut tokio::io::sink()).await;
}

/// Waits for more bytes; fails at the end of the stream.
async fn read(io: &mut TcpStream, input: &mut Input) -> io::Result<()> {
    let count = io.read(input.room(CHUNK)).await?;
    input.arrived(count);
    if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
