#[trunkline::service(scope = "a", scope = "b")]
trait Twice {
    #[procedure(parallel)]
    #[procedure(blocking)]
    async fn parallel(&self);

    #[procedure(idempotent, idempotent)]
    async fn idempotent(&self);

    #[procedure]
    async fn silent(&self);

    async fn arguments(&self, #[arg(name = "b")] a: u8, b: u8);

    async fn default(&self, #[arg(default)] #[arg(default = 2)] a: u8);
}

#[trunkline::service(crate = "not a path")]
trait Nowhere {}

#[trunkline::service(client = "not a name")]
trait Nobody {}

fn main() {}

//~ 1:35 `scope` is said twice: drop one of them
//~ 4:17 `parallel` and `blocking` do not go together: say `parallel` of what computes, and `blocking` of what blocks its thread
//~ 7:29 `idempotent` is said twice: drop one of them
//~ 10:5 write what is to be said in brackets: `#[procedure(idempotent)]`
//~ 13:57 callers know `a` as `b` too: give one of them another name, `#[arg(name = "…")]`
//~ 15:51 `default` is said twice: drop one of them
//~ 18:30 write a path: `"rpc"`, or `"crate::rpc"`
//~ 21:22 write the name of a type: `"Calculator"`
