//! The README's parts that are made from the code. `UPDATE_README=1 cargo test --test it readme` writes them anew.

/// Both tests write the same file when they are asked to.
static WRITING: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn the_table_of_actions_is_that_of_the_code() {
    compare("actions", &trimtab::actions::table());
}

#[test]
fn the_rows_without_an_action_are_those_of_the_code() {
    compare("absent", &trimtab::actions::absences());
}

fn compare(name: &str, table: &str) {
    let (begin, end) = (format!("<!-- {name}: generated from the code, compared by a test -->\n"), format!("<!-- /{name} -->"));
    let _one_at_a_time = WRITING.lock();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (head, rest) = text.split_once(&begin).expect("README has the table's opening mark");
    let (_, tail) = rest.split_once(&end).expect("README has the table's closing mark");
    let made = format!("{head}{begin}{table}{end}{tail}");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, made).unwrap();
    } else {
        assert_eq!(text, made, "the table has changed: UPDATE_README=1 cargo test --test it readme");
    }
}

#[test]
fn every_picture_of_the_readme_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    for rest in text.split("](assets/").skip(1) {
        let name = rest.split(')').next().unwrap();
        assert!(root.join("assets").join(name).is_file(), "assets/{name} is missing");
    }
}
