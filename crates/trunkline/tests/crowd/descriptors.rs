//! T23: a server that has run out of file descriptors goes on once there are some.

use std::{
    env,
    fs::File,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
    time::Instant,
};
use trunkline::{Client, Hooks, Router, Server};

/// Says that this is the process with few descriptors.
const FEW: &str = "TRUNKLINE_TEST_FEW_DESCRIPTORS";
/// What the system calls it: too many open files.
const EMFILE: i32 = 24;
const PING: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";

/// Runs this test once more, in a process of its own.
#[test]
fn accepting_goes_on_when_there_are_descriptors_again() {
    if env::var_os(FEW).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        return runtime.unwrap().block_on(run_out());
    }
    let this = env::current_exe().unwrap();
    let name = "descriptors::accepting_goes_on_when_there_are_descriptors_again";
    let again = Command::new("sh")
        .args(["-c", r#"ulimit -n 64 && exec "$0" "$@""#])
        .arg(this)
        .args(["--exact", name, "--nocapture"])
        .env(FEW, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout) + String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
}

async fn run_out() {
    let errors: Arc<AtomicUsize> = Arc::default();
    let counter = errors.clone();
    let hooks = Hooks::default().on_error(move |error| {
        let error = error.downcast_ref::<std::io::Error>().unwrap();
        assert_eq!(error.raw_os_error(), Some(EMFILE), "{error}");
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let server = Server::new(Router::new().procedure("ping", async || "pong")).hooks(hooks);
    let server = server.tcp("127.0.0.1:0").http("127.0.0.1:0").bind().await.unwrap();
    let addresses = server.addresses();
    tokio::spawn(server.serve());
    let neighbour = Client::connect(format!("tcp://{}", addresses[0])).await.unwrap();
    let sockets: Vec<TcpSocket> = (0..6).map(|_| TcpSocket::new_v4().unwrap()).collect();
    let hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(!hoard.is_empty());

    // the system takes them in, and the server cannot
    let mut streams = Vec::new();
    for (at, socket) in sockets.into_iter().enumerate() {
        streams.push(socket.connect(addresses[at % 2]).await.unwrap());
    }
    // one of them does not wait for it
    reset(streams.pop().unwrap());
    let second = Duration::from_secs(1);
    tokio::time::sleep(second).await;
    // each of the two listeners tries again after 50 ms
    let tried = errors.load(Ordering::Relaxed);
    assert!((2..=50).contains(&tried), "{tried} attempts in a second");
    assert_eq!(neighbour.call::<String>("ping", ()).await.unwrap(), "pong");

    drop(hoard);
    let since = Instant::now();
    for (at, stream) in streams.iter_mut().enumerate() {
        match at % 2 {
            0 => assert_eq!(answer(stream, PING).await, r#"{"jsonrpc":"2.0","id":1,"result":"pong"}"#),
            _ => assert_eq!(
                answer(stream, b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await,
                "HTTP/1.1 200 OK"
            ),
        }
    }
    assert!(since.elapsed() < second, "served after {:?}", since.elapsed());
    let tried = errors.load(Ordering::Relaxed) - tried;
    assert!(tried <= 4, "{tried} more attempts failed, though there was room");
}

/// Breaks a connection off, so that the far side hears of it by a reset.
fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

/// The first line of what is answered.
async fn answer(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}
