//! Clients that say who they are, over every transport.

use crate::world::{access, router, shut};
use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc;
use trunkline::{
    Client, Fault, FaultKind, Hooks, Identity, Link, Peer, Server,
    access::Access,
    client::{Builder, ConnectionState, DialError, Reconnect},
    security::unauthenticated,
};

/// HTTP and WebSocket at the first address, TCP at the second, and a Unix socket.
async fn serve(path: &std::path::Path, hooks: Hooks) -> (SocketAddr, SocketAddr) {
    let bound = Server::new(router(&shut()))
        .security(access(&shut()))
        .hooks(hooks)
        .http("127.0.0.1:0")
        .tcp("127.0.0.1:0")
        .unix(path)
        .bind()
        .await
        .unwrap();
    let addresses = bound.addresses();
    tokio::spawn(bound.serve());
    (addresses[0], addresses[1])
}

fn path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("trunkline-access-{name}-{}", std::process::id()))
}

async fn whoami(client: &Client) -> Result<String, Fault> {
    client.call("whoami", ()).await
}

#[tokio::test]
async fn a_bearer_token_goes_wherever_it_can() {
    let path = path("token");
    let (http, tcp) = serve(&path, Hooks::default()).await;
    for address in [
        format!("http://{http}"),
        format!("ws://{http}"),
        format!("tcp://{tcp}"),
        format!("unix:{}", path.display()),
    ] {
        let client = Client::builder(&address).bearer("ada").connect().await.unwrap();
        assert_eq!(whoami(&client).await.unwrap(), "ada", "{address}");
        let lazy = Client::builder(&address).bearer("bob").connect_lazy().unwrap();
        assert_eq!(whoami(&lazy).await.unwrap(), "bob", "{address}");
        let nobody = Client::connect(&address).await.unwrap();
        assert_eq!(whoami(&nobody).await.unwrap(), "nobody", "{address}");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_told() {
    let path = path("refused");
    let (http, tcp) = serve(&path, Hooks::default()).await;
    let error = Client::builder(format!("tcp://{tcp}")).bearer("eve").connect().await.unwrap_err();
    assert!(matches!(error, DialError::Unauthenticated { .. }), "{error:?}");
    assert_eq!(error.source().unwrap().to_string(), "the token is not known");
    let error = Client::builder(format!("ws://{http}")).bearer("eve").connect().await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("401"), "{error:?}");
    let client = Client::builder(format!("http://{http}")).bearer("eve").connect().await.unwrap();
    assert_eq!(whoami(&client).await.unwrap_err().kind(), FaultKind::Unauthenticated);
    // who connects in the background goes on trying, and does not call meanwhile
    let lazy = Client::builder(format!("tcp://{tcp}")).bearer("eve").reconnect(Reconnect::never());
    let lazy = lazy.connect_lazy().unwrap();
    let fault = whoami(&lazy).await.unwrap_err();
    assert!(fault.message().contains("the token is not known"), "{fault}");
}

#[tokio::test]
async fn credentials_may_be_of_any_shape() {
    let path = path("shape");
    let (http, tcp) = serve(&path, Hooks::default()).await;
    for address in [format!("ws://{http}"), format!("tcp://{tcp}")] {
        let client = Client::builder(&address).credentials(["ada"]).connect().await.unwrap();
        assert_eq!(whoami(&client).await.unwrap(), "ada", "{address}");
    }
    let error = Client::builder(format!("http://{http}")).credentials(["ada"]).connect().await.unwrap_err();
    assert!(error.to_string().contains("credentials are headers"), "{error}");
    let error = Client::builder(format!("http://{http}")).bearer("a\nb").connect().await.unwrap_err();
    assert!(matches!(error, DialError::Credentials { .. }), "{error:?}");
}

#[tokio::test]
async fn over_a_link_that_is_there() {
    let (here, there) = Link::pair();
    tokio::spawn(Server::new(router(&shut())).security(access(&shut())).serve_link(there));
    let client = Client::over(here).bearer("ada").connect().await.unwrap();
    assert_eq!(whoami(&client).await.unwrap(), "ada");
}

/// A client that connects again without delay, and tells when it has lost a connection.
fn quick(address: &str) -> (Builder, mpsc::UnboundedReceiver<()>) {
    let (send, lost) = mpsc::unbounded_channel();
    let quick = Reconnect::backoff(Duration::from_millis(1), Duration::from_millis(2));
    let builder = Client::builder(address).reconnect(quick).on_state(move |state| {
        if matches!(state, ConnectionState::Disconnected { .. }) {
            // the test may be over
            let _ = send.send(());
        }
    });
    (builder, lost)
}

/// T27: a connection that is made anew is of the same caller, before any call is made.
#[tokio::test]
async fn a_client_that_reconnects_says_again_who_it_is() {
    let (send, mut peers) = mpsc::unbounded_channel::<Peer>();
    let hooks = Hooks::default().on_connect(move |peer| drop(send.send(peer.clone())));
    let path = path("again");
    let (http, tcp) = serve(&path, hooks).await;
    for address in [format!("ws://{http}"), format!("tcp://{tcp}")] {
        let (builder, mut lost) = quick(&address);
        let client = builder.bearer("ada").connect().await.unwrap();
        for _ in 0..3 {
            assert_eq!(whoami(&client).await.unwrap(), "ada");
            peers.recv().await.unwrap().abort();
            lost.recv().await.unwrap();
        }
        assert_eq!(whoami(&client).await.unwrap(), "ada");
        peers.recv().await.unwrap();
    }
}

/// T27: who authenticates later is that one after a reconnect, too.
#[tokio::test]
async fn a_client_may_become_somebody_else() {
    let (send, mut peers) = mpsc::unbounded_channel::<Peer>();
    let hooks = Hooks::default().on_connect(move |peer| drop(send.send(peer.clone())));
    let path = path("else");
    let (http, tcp) = serve(&path, hooks).await;
    for address in [format!("ws://{http}"), format!("tcp://{tcp}")] {
        let (builder, mut lost) = quick(&address);
        let client = builder.connect().await.unwrap();
        for (token, name) in [("ada", Some("ada")), ("bob", Some("bob")), ("eve", None)] {
            let known = client.authenticate([token]).await;
            assert_eq!(known.ok().flatten().as_deref(), name);
            for _ in 0..2 {
                assert_eq!(whoami(&client).await.unwrap(), name.unwrap_or("nobody"), "{address}");
                peers.recv().await.unwrap().abort();
                lost.recv().await.unwrap();
            }
        }
        whoami(&client).await.unwrap();
        peers.recv().await.unwrap();
    }
    let posting = Client::connect(format!("http://{http}")).await.unwrap();
    assert!(posting.authenticate(["ada"]).await.unwrap_err().message().contains("headers"));
}

/// A server of HTTP and WebSocket, and of TCP, and the far ends of its connections.
async fn watched(security: Option<Access>) -> ([String; 2], mpsc::UnboundedReceiver<Peer>) {
    let (send, peers) = mpsc::unbounded_channel::<Peer>();
    let hooks = Hooks::default().on_connect(move |peer| drop(send.send(peer.clone())));
    let mut server = Server::new(router(&shut())).hooks(hooks).http("127.0.0.1:0").tcp("127.0.0.1:0");
    if let Some(security) = security {
        server = server.security(security);
    }
    let bound = server.bind().await.unwrap();
    let addresses = bound.addresses();
    tokio::spawn(bound.serve());
    ([format!("ws://{}", addresses[0]), format!("tcp://{}", addresses[1])], peers)
}

/// Breaks the connection off, and waits until the client has seen it.
async fn lose(peers: &mut mpsc::UnboundedReceiver<Peer>, lost: &mut mpsc::UnboundedReceiver<()>) {
    peers.recv().await.unwrap().abort();
    lost.recv().await.unwrap();
}

/// Tokens are renewed before they expire: the old one is not shown again.
#[tokio::test]
async fn a_token_that_was_renewed_goes_with_later_connections() {
    let day = Arc::new(AtomicU8::new(1));
    let access = {
        let day = day.clone();
        Access::new().bearer(move |token| {
            let good = token == format!("t{}", day.load(Ordering::Relaxed)) || token == "t2";
            async move { if good { Ok(Identity::new("ada")) } else { Err(unauthenticated("expired")) } }
        })
    };
    let (addresses, mut peers) = watched(Some(access)).await;
    for address in addresses {
        day.store(1, Ordering::Relaxed);
        let (builder, mut lost) = quick(&address);
        let client = builder.bearer("t1").call_timeout(Duration::from_secs(10)).connect().await.unwrap();
        assert_eq!(client.authenticate(["t2"]).await.unwrap().as_deref(), Some("ada"));
        day.store(2, Ordering::Relaxed);
        for _ in 0..2 {
            lose(&mut peers, &mut lost).await;
            assert_eq!(whoami(&client).await.unwrap(), "ada", "{address}");
        }
        peers.recv().await.unwrap();
    }
}

/// Where nobody can authenticate, or may not: the client goes on, as nobody.
#[tokio::test]
async fn a_refusal_does_not_end_reconnecting() {
    let forbidding =
        Access::new().bearer(async |_| Err(Fault::new(FaultKind::Forbidden, "not from where you are")));
    for (security, kind) in [(None, FaultKind::NotFound), (Some(forbidding), FaultKind::Forbidden)] {
        let (addresses, mut peers) = watched(security).await;
        for address in addresses {
            let (builder, mut lost) = quick(&address);
            let client = builder.call_timeout(Duration::from_secs(10)).connect().await.unwrap();
            assert_eq!(client.authenticate(["ada"]).await.unwrap_err().kind(), kind);
            lose(&mut peers, &mut lost).await;
            assert_eq!(whoami(&client).await.unwrap(), "nobody", "{address}");
            peers.recv().await.unwrap();
        }
    }
}

/// What was good once may be refused after a reconnect, in any words.
#[tokio::test]
async fn who_is_refused_after_a_reconnect_is_nobody() {
    let kinds =
        [FaultKind::Forbidden, FaultKind::RateLimited, FaultKind::Internal, FaultKind::Unauthenticated];
    let turn = Arc::new(AtomicU8::new(u8::MAX));
    let access = {
        let turn = turn.clone();
        Access::new().bearer(move |_| {
            let kind = kinds.get(usize::from(turn.load(Ordering::Relaxed))).copied();
            async move {
                match kind {
                    None => Ok(Identity::new("ada")),
                    Some(kind) => Err(Fault::new(kind, "no")),
                }
            }
        })
    };
    let (addresses, mut peers) = watched(Some(access)).await;
    for address in addresses {
        turn.store(u8::MAX, Ordering::Relaxed);
        let (builder, mut lost) = quick(&address);
        let client = builder.call_timeout(Duration::from_secs(10)).connect().await.unwrap();
        client.authenticate(["ada"]).await.unwrap();
        for (at, kind) in kinds.iter().enumerate() {
            turn.store(u8::try_from(at).unwrap(), Ordering::Relaxed);
            lose(&mut peers, &mut lost).await;
            assert_eq!(whoami(&client).await.unwrap(), "nobody", "{address} {kind:?}");
        }
        peers.recv().await.unwrap();
    }
}

/// Of several who authenticate at a time, the one whom the server knows last is
/// the one after a reconnect.
#[tokio::test]
async fn the_last_that_was_accepted_is_remembered() {
    let (addresses, mut peers) = watched(Some(access(&shut()))).await;
    for address in addresses {
        let (builder, mut lost) = quick(&address);
        let client = builder.call_timeout(Duration::from_secs(10)).connect().await.unwrap();
        let (ada, bob) = tokio::join!(client.authenticate(["ada"]), client.authenticate(["bob"]));
        assert_eq!((ada.unwrap().as_deref(), bob.unwrap().as_deref()), (Some("ada"), Some("bob")));
        let before = whoami(&client).await.unwrap();
        lose(&mut peers, &mut lost).await;
        assert_eq!(whoami(&client).await.unwrap(), before, "{address}");
        peers.recv().await.unwrap();
    }
}
