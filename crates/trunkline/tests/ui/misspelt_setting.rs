#[trunkline::service(scop = "math")]
trait Math {
    #[procedure(idempotant)]
    async fn add(&self, #[arg(defualt)] a: i64, b: i64) -> i64;

    #[procedure(timout = "5s")]
    async fn wait(&self);
}

fn main() {}
