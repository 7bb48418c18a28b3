//! Whatever sends streams: clients, servers, handlers of the same router.

use super::*;
use std::sync::Arc;
use tokio::sync::Notify;
use trunkline::{Caller, Calls, InProcess, Server, Trace};

/// Sums and running sums, over whatever the client is connected by.
async fn sums(client: &Client) {
    let sum: i64 = client.call("sum", ()).sending(numbers(10_000)).await.unwrap();
    assert_eq!(sum, 50_005_000);
    let sums = client.stream::<i64>("running_sum", (5,)).sending(numbers(10_000)).await.unwrap();
    let sums: Vec<i64> = sums.map(Result::unwrap).collect().await;
    assert_eq!((sums.len(), sums[9_999]), (10_000, 50_005_005));
    let broken = stream::iter([Ok(1), Err(Fault::from("burst").with_code(7)), Ok(3)]);
    let fault = client.call::<i64>("sum", ()).sending(broken).await.unwrap_err();
    assert_eq!((fault.message(), fault.code()), ("burst", Some(7)));
    let first: i64 = client.call("first", ()).sending(stream::repeat(3)).await.unwrap();
    assert_eq!(first, 3);
    let fault = client.call::<i64>("sum", ()).sending(stream::iter(["x"])).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::InvalidArgs);
    let fault = client.call::<i64>("none", ()).sending(stream::repeat(3)).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::NotFound);
    let pong: String = client.call("ping", ()).sending(stream::pending::<i64>()).await.unwrap();
    assert_eq!(pong, "pong", "who takes no stream lets it be");
}

#[tokio::test]
async fn streams_of_arguments_over_every_kind_of_connection() {
    sums(&client(router(), Limits::default(), Router::new())).await;
    let bound = Server::new(router()).tcp("127.0.0.1:0").http("127.0.0.1:0").bind().await.unwrap();
    let addresses = bound.addresses().to_vec();
    let serving = tokio::spawn(bound.serve());
    for address in [format!("tcp://{}", addresses[0]), format!("ws://{}", addresses[1])] {
        let client = Client::connect(&address).await.unwrap();
        sums(&client).await;
        client.close().await;
    }
    let client = Client::connect(format!("http://{}", addresses[1])).await.unwrap();
    let fault = client.call::<i64>("sum", ()).sending(numbers(1)).await.unwrap_err();
    assert!(fault.message().contains("takes a connection"), "{fault}");
    serving.abort();
}

/// Where both sides number their calls alike, their streams are not mixed up.
#[tokio::test]
async fn a_server_sends_streams_to_its_clients() {
    let doubles = async |peer: Peer, numbers: Incoming<i64>| {
        let doubled = numbers.map(|number| number.map(|it| it * 2));
        peer.call::<i64>("sum", ()).sending(doubled).await
    };
    let echo = async |peer: Peer, numbers: Incoming<i64>, (start,): (i64,)| {
        peer.stream_sending::<i64, _>("running_sum", (start,), numbers, None).await
    };
    let server = Router::new().procedure("doubles", doubles).procedure("echo", echo);
    let client = client(server, Limits::default(), router());
    let sum: i64 = client.call("doubles", ()).sending(numbers(1000)).await.unwrap();
    assert_eq!(sum, 1_001_000);
    let sums = client.stream::<i64>("echo", (1,)).sending(numbers(1000)).await.unwrap();
    let sums: Vec<i64> = sums.map(Result::unwrap).collect().await;
    assert_eq!((sums.len(), sums[999]), (1000, 500_501));
}

/// What is sent is dropped however the call ends.
#[tokio::test]
async fn what_is_sent_ends_with_its_call() {
    let (dropped, mut seen) = mpsc::unbounded_channel();
    let sent = move || {
        let tells = Tells(dropped.clone());
        stream::iter([1_i64]).chain(stream::pending()).map(move |number| {
            let _ = &tells;
            number
        })
    };
    let started = Arc::new(Notify::new());
    let starts = started.clone();
    let router = router().procedure("started", move |mut numbers: Incoming<i64>, ()| {
        let starts = starts.clone();
        async move {
            numbers.next().await;
            starts.notify_one();
            std::future::pending::<()>().await;
        }
    });
    let client = client(router, Limits::default(), Router::new());

    // an answer
    let first: i64 = client.call("first", ()).sending(sent()).await.unwrap();
    assert_eq!(first, 1);
    seen.recv().await.unwrap();
    // the call is dropped
    let mut call = Box::pin(client.call::<()>("started", ()).sending(sent()));
    tokio::select! {
        _ = &mut call => panic!("it never answers"),
        () = started.notified() => {}
    }
    drop(call);
    seen.recv().await.unwrap();
    // the stream that it came to is dropped
    let mut sums = client.stream::<i64>("running_sum", (0,)).sending(sent()).await.unwrap();
    assert_eq!(sums.next().await.unwrap().unwrap(), 1);
    drop(sums);
    seen.recv().await.unwrap();
    // it panics
    let panics = stream::iter(0..2_i64).map(|n| if n == 0 { n } else { panic!("on purpose") });
    let fault = client.call::<i64>("sum", ()).sending(panics).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Internal);
    // the client is closed, which breaks off the stream, and so the call is answered
    let call = client.call::<i64>("sum", ()).sending(sent());
    let (fault, ()) = tokio::join!(call, async {
        tokio::task::yield_now().await;
        client.close().await;
    });
    assert!(matches!(fault.unwrap_err().kind(), FaultKind::Unavailable | FaultKind::Disconnected));
    seen.recv().await.unwrap();
}

/// In process nothing is between the handler and the stream, and what panics in there
/// fails the call alone.
#[tokio::test]
async fn handlers_send_streams_to_others_of_their_router() {
    let router = router()
        .procedure("twice", async |caller: Caller, numbers: Incoming<i64>| {
            caller.call_sending::<i64>("sum", (), numbers.map(|number| number.map(|it| it * 2))).await
        })
        .procedure("sums", async |caller: Caller, numbers: Incoming<i64>| {
            caller.stream_sending::<i64>("running_sum", (0,), numbers).await
        })
        .procedure("bad", async |caller: Caller| {
            let panics = stream::iter(0..2_i64).map(|n| if n == 0 { n } else { panic!("on purpose") });
            caller.call_sending::<i64>("sum", (), panics).await
        });
    let calls = InProcess::new(router.clone());
    assert_eq!(calls.call_sending::<i64>("twice", (), numbers(4), None).await.unwrap(), 20);
    let sums = calls.stream_sending::<i64>("sums", (), numbers(4), None).await.unwrap();
    assert_eq!(sums.map(Result::unwrap).collect::<Vec<_>>().await, [1, 3, 6, 10]);
    assert_eq!(calls.call::<i64>("bad", (), None).await.unwrap_err().kind(), FaultKind::Internal);
    let panics = || stream::iter([1_i64]).map(|_| -> i64 { panic!("on purpose") });
    let fault = calls.call_sending::<i64>("sum", (), panics(), None).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Internal);

    let client = client(router, Limits::default(), Router::new());
    let twice: i64 = client.call("twice", ()).sending(numbers(4)).await.unwrap();
    assert_eq!(twice, 20);
}

/// What is said besides of a call is said of one with a stream too.
#[tokio::test]
async fn a_call_with_a_stream_has_its_place_in_a_trace() {
    let traced = async |context: Context, numbers: Incoming<i64>| {
        let trace = context.trace().map(|trace| trace.to_string());
        sum(numbers).await.map(|sum| (sum, trace))
    };
    let client = client(Router::new().procedure("traced", traced), Limits::default(), Router::new());
    let trace = Trace::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").unwrap();
    let (sum, told): (i64, Option<String>) =
        client.call("traced", ()).trace(trace.clone()).sending(numbers(3)).await.unwrap();
    assert_eq!((sum, told), (6, Some(trace.to_string())));
}
