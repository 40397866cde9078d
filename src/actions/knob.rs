//! Help that actions share: reading threads, protecting processes, turning errors into refusals, writing and undoing steps.
