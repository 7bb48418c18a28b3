#[trunkline::service(scop = "math")]
trait Math {
    #[procedure(idempotant)]
    async fn add(&self, #[arg(defualt)] a: i64, b: i64) -> i64;

    #[procedure(timout = "5s")]
    async fn wait(&self);

    async fn half(&self, #[arg(defualt)] of: i64) -> i64;
}

fn main() {}

//~ 1:22 a service has no setting `scop`: did you mean `scope`?
//~ 3:17 a procedure has no setting `idempotant`: did you mean `idempotent`?
//~ 6:17 a procedure has no setting `timout`: did you mean `timeout`?
//~ 9:32 an argument has no setting `defualt`: did you mean `default`?
