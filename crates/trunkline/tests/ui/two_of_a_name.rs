#[trunkline::service(scope = "math")]
trait Math {
    async fn add(&self, a: i64, b: i64) -> i64;

    #[procedure(name = "add")]
    async fn sum(&self, of: Vec<i64>) -> i64;
}

fn main() {}

//~ 6:14 `math.add` is the name of the method `add` too: give one of them another, `#[procedure(name = "…")]`
