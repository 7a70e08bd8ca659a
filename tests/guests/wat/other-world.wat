;; A sound component that is no plugin: it exports something else.
(component
  (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (instance $calculator (export "add" (func $add)))
  (export "example:calculator/add@1.0.0" (instance $calculator))
)
