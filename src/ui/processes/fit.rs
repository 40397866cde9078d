//! Which columns are shown in how much room, and how wide.

use crate::ui::processes::{
    choices::Form,
    column::{Column, Worth},
    columns::TABLE,
    list::ProcessList,
};

/// Columns with their widths, from left to right. What the operator asked for comes first, then by worth, as many as fit.
pub fn fitting(list: &ProcessList, width: u16) -> Vec<(&'static Column, u16)> {
    let mut queue: Vec<(u8, &Column)> = TABLE.iter().filter_map(|column| Some((rank(list, column)?, column))).collect();
    queue.sort_by_key(|(rank, _)| *rank);
    let tree = list.choices.form.is_tree();
    let wide = |column: &Column| if tree && column.name == "name" { name_in_tree(width) } else { column.width };
    let mut room = i32::from(width) + 1;
    let mut chosen: Vec<&Column> = Vec::new();
    for (_, column) in queue {
        let left = room - i32::from(wide(column)) - 1;
        if left < 0 && column.worth != Worth::Always {
            break;
        }
        room = left;
        chosen.push(column);
    }
    let has = |name: &str| chosen.iter().any(|column| column.name == name);
    let stretched = match ["command", "cgroup"].into_iter().find(|name| has(name)) {
        Some(name) if !tree => name,
        _ => "name",
    };
    let spare = u16::try_from(room).unwrap_or(0);
    let shown = TABLE.iter().filter(|column| has(column.name));
    shown.map(|column| (column, wide(column) + if column.name == stretched { spare } else { 0 })).collect()
}

/// Room for names that are indented.
fn name_in_tree(width: u16) -> u16 {
    (width * 2 / 5).clamp(16, 30)
}

/// The place of a column in the queue for room; `None` when it does not want any.
fn rank(list: &ProcessList, column: &Column) -> Option<u8> {
    let is_in = |names: &[String]| names.iter().any(|name| name == column.name);
    if column.worth == Worth::Always {
        return Some(0);
    }
    if is_in(&list.choices.hidden) {
        return None;
    }
    if column.name == list.choices.sort || is_in(&list.choices.wanted) {
        return Some(1);
    }
    let unknown = list.unknown.contains(&column.name);
    let in_tree = list.choices.form == Form::Cgroups && matches!(column.name, "unit" | "container");
    column.worth.rank(list.choices.form).filter(|_| !unknown && !in_tree).map(|rank| rank + 2)
}

#[cfg(test)]
#[allow(clippy::field_reassign_with_default)]
mod tests {
    use super::*;

    fn names(list: &ProcessList, width: u16) -> Vec<&'static str> {
        fitting(list, width).iter().map(|(column, _)| column.name).collect()
    }

    #[test]
    fn the_narrower_the_fewer_and_never_wider_than_the_room() {
        let mut list = ProcessList::default();
        list.unknown = vec!["io wait"];
        for form in [Form::List, Form::Cgroups, Form::Parents, Form::Programs] {
            list.choices.form = form;
            let mut before = usize::MAX;
            for width in (24..300).rev() {
                let all = fitting(&list, width);
                assert!(all.len() <= before);
                before = all.len();
                let used: u16 = all.iter().map(|(_, wide)| wide + 1).sum();
                assert_eq!(used, width.max(24) + 1, "{form:?} {width}");
            }
        }
    }

    #[test]
    fn the_column_of_the_order_and_what_was_asked_for_come_first() {
        let mut list = ProcessList::default();
        assert_eq!(names(&list, 36), ["pid", "name", "cpu"]);
        list.choices.sort = "memory".into();
        assert_eq!(names(&list, 36), ["pid", "name", "memory"]);
        list.choices.wanted = vec!["policy".into()];
        assert_eq!(names(&list, 46), ["pid", "name", "memory", "policy"]);
        list.choices.hidden = vec!["cpu".into()];
        assert!(!names(&list, 200).contains(&"cpu"));
    }
}
