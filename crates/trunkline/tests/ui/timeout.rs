#[trunkline::service]
trait Math {
    #[procedure(timeout = "5 sec")]
    async fn add(&self, a: i64, b: i64) -> i64;

    #[procedure(timeout = 0)]
    async fn wait(&self);

    #[procedure(timeout)]
    async fn forever(&self);
}

fn main() {}
