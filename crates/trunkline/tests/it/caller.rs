//! Calls inside of calls.

use crate::support::{TestServer, Wire, code, request, service};
use futures_util::{Stream, StreamExt, stream};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc};
use trunkline::{Caller, Calls, Context, Fault, FaultKind, Identity, InProcess, Limits, Router, handler};

/// Arithmetic that others build on.
#[trunkline::service(scope = "math")]
trait Math {
    /// The sum.
    async fn add(&self, a: i64, b: i64) -> Result<i64, Fault>;
    /// Numbers from 0.
    async fn up(&self, to: u64) -> Result<impl Stream<Item = u64> + Send + 'static, Fault>;
}

struct Plain;

impl Math for Plain {
    async fn add(&self, a: i64, b: i64) -> Result<i64, Fault> {
        a.checked_add(b).ok_or_else(|| Fault::new(FaultKind::Failed, "too large").with_code(7))
    }

    async fn up(&self, to: u64) -> Result<impl Stream<Item = u64> + Send + 'static, Fault> {
        Ok(stream::iter(0..to))
    }
}

/// Tells a thing of drops.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_handler_calls_others_of_its_router() {
    let sum = async |caller: Caller, numbers: Vec<i64>| {
        let mut sum = 0;
        for number in numbers {
            sum = caller.call::<i64>("math.add", (sum, number)).await?;
        }
        Ok::<_, Fault>(sum)
    };
    let typed = async |caller: Caller| {
        let math = MathClient::new(caller);
        let mut up = math.up(4).await?;
        let mut sum = 0;
        while let Some(number) = up.next().await {
            sum = math.add(sum, number? as i64).await?;
        }
        Ok::<_, Fault>(sum)
    };
    let secret = async |caller: Caller| caller.call::<String>("vault", ()).await;
    let router = Router::new()
        .service(MathService::new(Plain))
        .procedure("sum", sum)
        .procedure("typed", typed)
        .procedure("vault", handler(async |context: Context| format!("depth {}", context.depth())).internal())
        .scope("deep", Router::new().procedure("secret", secret));
    let here = InProcess::new(router.clone());
    let mut wire = Wire::to(router);
    assert_eq!(wire.ask(request(1, "sum", json!([[1, 2, 3]]))).await["result"], 6);
    assert_eq!(here.call::<i64>("sum", (vec![4, 5],), None).await.unwrap(), 9);
    assert_eq!(wire.ask(request(2, "typed", json!([]))).await["result"], 6);
    assert_eq!(wire.ask(request(3, "deep.secret", json!([]))).await["result"], "depth 1");
    assert_eq!(code(&wire.ask(request(4, "vault", json!([]))).await), -32601);
    // the fault of the inner call is the fault of the outer, unless that one knows better
    let failed = wire.ask(request(5, "sum", json!([[i64::MAX, 1]]))).await;
    assert_eq!(failed["error"], json!({"code": 7, "message": "too large"}));
}

#[tokio::test]
async fn what_fits_nothing_is_a_fault() {
    let gone =
        async |caller: Caller, (name, args): (String, i64)| caller.call::<String>(&name, (args,)).await;
    let router = Router::new()
        .procedure("call", gone)
        .procedure("half", async |number: u32| number / 2)
        .procedure("up", async |to: u32| stream::iter(0..to))
        .procedure("panics", async |_: u32| -> u32 { panic!("no") });
    let here = InProcess::new(router);
    let kind = async |name: &str, args: i64| {
        here.call::<String>("call", (name, args), None).await.unwrap_err().kind()
    };
    assert_eq!(kind("none", 1).await, FaultKind::NotFound);
    assert_eq!(kind("half", -1).await, FaultKind::InvalidArgs);
    assert_eq!(kind("half", 8).await, FaultKind::InvalidReply);
    assert_eq!(kind("up", 8).await, FaultKind::InvalidReply);
    assert_eq!(kind("panics", 8).await, FaultKind::Internal);
}

#[tokio::test]
async fn the_caller_stays_who_it_is() {
    let whoami = async |identity: Identity| identity.subject().unwrap_or("nobody").to_owned();
    let router = Router::new()
        .procedure("whoami", whoami)
        .procedure("relay", async |caller: Caller| caller.call::<String>("whoami", ()).await);
    let context = Context::local().with_identity(Identity::new("ada"));
    let here = InProcess::new(router).context(context);
    assert_eq!(here.call::<String>("relay", (), None).await.unwrap(), "ada");
}

#[tokio::test]
async fn guards_and_middleware_are_around_what_is_called_inside() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    let inner = Router::new()
        .procedure("open", async || 1)
        .guard(|call| match call.context.depth() {
            0 => Err(Fault::new(FaultKind::Forbidden, "only from inside")),
            _ => Ok(()),
        })
        .layer(move |call: trunkline::OwnedCall, next: trunkline::Next| {
            counter.fetch_add(1, Ordering::Relaxed);
            next.run(call)
        });
    let relay = async |caller: Caller| caller.call::<u8>("inner.open", ()).await;
    let here = InProcess::new(Router::new().scope("inner", inner).procedure("relay", relay));
    let refused = here.call::<u8>("inner.open", (), None).await.unwrap_err();
    assert_eq!(refused.kind(), FaultKind::Forbidden);
    assert_eq!(here.call::<u8>("relay", (), None).await.unwrap(), 1);
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

/// T43: a chain without an end is a fault that names the limit.
#[tokio::test]
async fn a_chain_is_not_deeper_than_the_limit() {
    let deepest = Arc::new(AtomicUsize::new(0));
    let seen = deepest.clone();
    let forever = move |context: Context, caller: Caller| {
        seen.fetch_max(context.depth(), Ordering::Relaxed);
        async move { caller.call::<u8>("forever", ()).await }
    };
    let router = Router::new()
        .procedure("forever", forever)
        .procedure("a", async |caller: Caller| caller.call::<u8>("b", ()).await)
        .procedure("b", async |caller: Caller| caller.call::<u8>("a", ()).await)
        .procedure("count", async |caller: Caller, left: u32| match left {
            0 => Ok(0),
            _ => Ok::<u32, Fault>(1 + caller.call::<u32>("count", (left - 1,)).await?),
        });
    for (limits, most) in [(Limits::default(), 32), (Limits::default().max_chain(3), 3)] {
        deepest.store(0, Ordering::Relaxed);
        let mut wire = Wire::to(service(router.clone(), limits));
        for procedure in ["forever", "a"] {
            let refused = wire.ask(request(1, procedure, json!([]))).await;
            assert_eq!(refused["error"]["data"], json!({"limit": most, "setting": "max_chain"}), "{refused}");
        }
        assert_eq!(deepest.load(Ordering::Relaxed), most);
        assert_eq!(wire.ask(request(2, "count", json!([most]))).await["result"], most);
        assert_eq!(code(&wire.ask(request(3, "count", json!([most + 1]))).await), -32009);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_inside_ends_with_what_is_around_it() {
    let dropped = Arc::new(Notify::new());
    let told = dropped.clone();
    let stuck = move || {
        let told = Told(told.clone());
        async move {
            std::future::pending::<()>().await;
            drop(told);
        }
    };
    let left = async |caller: Caller| caller.time_left().map(|left| left.as_secs());
    let router = Router::new()
        .procedure("stuck", stuck)
        .procedure("outer", async |caller: Caller| caller.call::<()>("stuck", ()).await)
        .procedure("left", handler(left).timeout(Duration::from_secs(9)))
        .procedure(
            "lesser",
            handler(async |caller: Caller| caller.call::<u64>("left", ()).await)
                .timeout(Duration::from_secs(5)),
        )
        .procedure("greater", async |caller: Caller| caller.call::<u64>("left", ()).await)
        .procedure("timed", async |caller: Caller| {
            let calling = caller.within(Duration::from_secs(1));
            Ok::<_, Fault>(calling.call::<()>("stuck", ()).await.unwrap_err().message().to_owned())
        });
    let mut wire = Wire::to(router);
    assert_eq!(wire.ask(request(1, "lesser", json!([]))).await["result"], 5);
    assert_eq!(wire.ask(request(2, "greater", json!([]))).await["result"], 9);
    assert_eq!(wire.ask(request(3, "timed", json!([]))).await["result"], "Deadline exceeded");
    dropped.notified().await;
    // at the deadline of the outer call
    assert_eq!(code(&wire.ask(request(4, "outer", json!([]))).await), -32001);
    dropped.notified().await;
    // and when it is cancelled
    wire.line(request(5, "outer", json!([]))).await;
    wire.line(r#"{"jsonrpc":"2.0","method":"rpc.cancel","params":{"id":5}}"#).await;
    assert_eq!(code(&wire.next().await), -32800);
    dropped.notified().await;
}

#[tokio::test]
async fn a_stream_calls_for_its_items_after_it_has_been_opened() {
    let squares = async |caller: Caller, to: u64| {
        assert!(caller.time_left().is_none(), "a stream may last");
        stream::iter(0..to).then(move |number| {
            let caller = caller.clone();
            async move { caller.call::<u64>("square", (number,)).await }
        })
    };
    let router =
        Router::new().procedure("squares", squares).procedure("square", async |number: u64| number * number);
    let client = TestServer::new(router).client();
    let squares: Vec<u64> =
        client.stream::<u64>("squares", (4,)).await.unwrap().map(Result::unwrap).collect().await;
    assert_eq!(squares, [0, 1, 4, 9]);
}

/// The timeout of a procedure that gives a stream is for opening it, by whatever way.
#[tokio::test]
async fn the_items_of_a_stream_have_no_deadline() {
    let lasting = async |caller: Caller| stream::iter([caller.time_left().is_none()]);
    let again = async |caller: Caller| Ok::<_, Fault>(caller.stream::<bool>("lasting", ()).await?);
    let router = Router::new()
        .procedure("lasting", handler(lasting).timeout(Duration::from_secs(9)))
        .procedure("again", again);
    let here = InProcess::new(router);
    for name in ["lasting", "again"] {
        let lasts: Vec<bool> =
            here.stream::<bool>(name, (), None).await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(lasts, [true], "{name}");
    }
}

#[tokio::test]
async fn a_fallback_knows_that_it_is_one() {
    let others = Router::new().fallback(async || "served").guard(|call| match call.fallback {
        Some("others.") => Ok(()),
        other => Err(Fault::from(format!("{other:?}"))),
    });
    let relay = async |caller: Caller| caller.call::<String>("others.any", ()).await;
    let here = InProcess::new(Router::new().scope("others", others).procedure("relay", relay));
    for name in ["others.any", "relay"] {
        assert_eq!(here.call::<String>(name, (), None).await.unwrap(), "served");
    }
}

#[tokio::test]
async fn ordered_calls_inside_of_ordered_ones_belong_to_their_turn() {
    let router = Router::new()
        .procedure("inner", handler(async || 1).ordered())
        .procedure("outer", handler(async |caller: Caller| caller.call::<u8>("inner", ()).await).ordered())
        .procedure("free", async |caller: Caller| caller.call::<u8>("inner", ()).await);
    let mut wire = Wire::to(router);
    assert_eq!(wire.ask(request(1, "outer", json!([]))).await["result"], 1);
    assert_eq!(wire.ask(request(2, "free", json!([]))).await["result"], 1);
}

/// A turn is over when its call is, or its stream is open: what is called after that, by
/// whoever has kept a `Caller`, waits for its own.
#[tokio::test]
async fn a_turn_that_is_over_lets_nobody_in() {
    let busy = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let inner = move || {
        let busy = busy.clone();
        async move {
            assert!(!busy.swap(true, Ordering::Relaxed), "two run at a time");
            tokio::task::yield_now().await;
            busy.store(false, Ordering::Relaxed);
            1
        }
    };
    let (started, mut later) = mpsc::unbounded_channel();
    let router = Router::new()
        .procedure("inner", handler(inner).ordered())
        .procedure(
            "later",
            handler(move |caller: Caller| {
                let started = started.clone();
                async move {
                    let calling = tokio::spawn(async move { caller.call::<u8>("inner", ()).await });
                    started.send(calling).unwrap();
                }
            })
            .ordered(),
        )
        .procedure(
            "stream",
            handler(async |caller: Caller| {
                stream::iter(0..20).then(move |_| {
                    let caller = caller.clone();
                    async move { caller.call::<u8>("inner", ()).await }
                })
            })
            .ordered(),
        );
    let client = crate::support::client(router, Limits::default(), Router::new());
    let items = client.stream::<u8>("stream", ()).await.unwrap().collect::<Vec<_>>();
    let calls = async {
        for _ in 0..20 {
            client.call::<()>("later", ()).await.unwrap();
            assert_eq!(client.call::<u8>("inner", ()).await.unwrap(), 1);
        }
    };
    let (items, ()) = tokio::join!(items, calls);
    assert!(items.len() == 20 && items.iter().all(|item| matches!(item, Ok(1))), "{items:?}");
    for _ in 0..20 {
        assert_eq!(later.recv().await.unwrap().await.unwrap().unwrap(), 1);
    }
}

#[tokio::test]
async fn what_is_called_runs_where_it_is_registered_to() {
    let thread = async || format!("{:?}", std::thread::current().id());
    let router = Router::new()
        .procedure("blocking", handler(thread).blocking())
        .procedure("parallel", handler(thread).parallel())
        .procedure("here", thread)
        .procedure("relay", async |caller: Caller, name: String| caller.call::<String>(&name, ()).await);
    let here = InProcess::new(router);
    let mine = format!("{:?}", std::thread::current().id());
    let thread = async |name: &str| here.call::<String>("relay", (name,), None).await.unwrap();
    assert_ne!(thread("blocking").await, mine);
    assert_eq!(thread("parallel").await, mine, "there is one thread for tasks");
    assert_eq!(thread("here").await, mine);
}

#[tokio::test]
async fn a_router_that_nobody_serves_is_let_go() {
    struct Kept(
        #[expect(dead_code, reason = "it is there to be dropped")] Told,
        std::sync::Mutex<Vec<Caller>>,
    );
    let dropped = Arc::new(Notify::new());
    let keep = async |caller: Caller, kept: trunkline::State<Kept>| kept.1.lock().unwrap().push(caller);
    let router = Router::new()
        .state(Kept(Told(dropped.clone()), Default::default()))
        .procedure("keep", keep)
        .procedure("take", async |kept: trunkline::State<Kept>| kept.1.lock().unwrap().len());
    let here = InProcess::new(router);
    here.call::<()>("keep", (), None).await.unwrap();
    assert_eq!(here.call::<u8>("take", (), None).await.unwrap(), 1);
    drop(here);
    dropped.notified().await;
}

/// T43: two sides that call each other in turn, with room for one call at a time
/// and one thread. What no room can be made for ends at its deadline.
#[tokio::test(start_paused = true)]
async fn sides_that_call_each_other_end_in_an_answer_or_a_fault() {
    async fn turn(peer: trunkline::Peer, left: u32) -> Result<u32, Fault> {
        match left {
            0 => Ok(0),
            _ => Ok(1 + peer.call::<u32>("turn", (left - 1,)).timeout(Duration::from_secs(5)).await?),
        }
    }
    for (most, answers) in [(1, false), (64, true)] {
        let limits = Limits::default().max_in_flight(most).max_batch(1);
        let client = crate::support::client(
            Router::new().procedure("turn", turn),
            limits,
            Router::new().procedure("turn", turn),
        );
        let outcome = client.call::<u32>("turn", (50,)).await;
        match answers {
            true => assert_eq!(outcome.unwrap(), 50),
            false => assert_eq!(outcome.unwrap_err().kind(), FaultKind::DeadlineExceeded),
        }
        // and it is as good as new
        assert_eq!(client.call::<u32>("turn", (0,)).await.unwrap(), 0);
    }
}
