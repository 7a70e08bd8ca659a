;; Imports an interface that nobody knows.
(component
  (import "foo:bar/baz@1.0.0" (instance (export "quux" (func))))
  (core module $case (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
