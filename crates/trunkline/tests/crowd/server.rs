//! What crowds come to, and what they cost it.

use std::net::SocketAddr;
use tokio::sync::{Mutex, MutexGuard};
use trunkline::{Client, Limits, Router, Server};

/// One crowd at a time, as they share the descriptors and the memory of this process.
static ALONE: Mutex<()> = Mutex::const_new(());

/// A server of one procedure, over HTTP and over TCP.
pub(crate) struct Crowded {
    pub(crate) http: SocketAddr,
    pub(crate) tcp: SocketAddr,
    _alone: MutexGuard<'static, ()>,
}

pub(crate) async fn serve(limits: Limits) -> Crowded {
    let alone = ALONE.lock().await;
    let server = Server::new(Router::new().procedure("ping", async || "pong")).limits(limits);
    let server = server.http("127.0.0.1:0").tcp("127.0.0.1:0").bind().await.unwrap();
    let [http, tcp] = server.addresses()[..] else { panic!("two listeners") };
    tokio::spawn(server.serve());
    Crowded { http, tcp, _alone: alone }
}

impl Crowded {
    pub(crate) async fn client(&self, scheme: &str) -> Client {
        let at = if scheme == "tcp" { self.tcp } else { self.http };
        Client::connect(format!("{scheme}://{at}")).await.unwrap()
    }

    /// That somebody new is served, however they come. Whoever was in the queue
    /// before them has been taken in then.
    pub(crate) async fn serves(&self) {
        for scheme in ["http", "ws", "tcp"] {
            assert_eq!(self.client(scheme).await.call::<String>("ping", ()).await.unwrap(), "pong");
        }
    }
}

/// Bytes of memory that this process takes up.
#[cfg(target_os = "linux")]
pub(crate) fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() << 10
}

/// There is no telling here, so it counts as nothing.
#[cfg(not(target_os = "linux"))]
pub(crate) fn memory() -> usize {
    0
}
