import { type BtfTypes, kinds, malformed } from './btf-types.js';

/** A parameter of a kernel function. */
export interface FunctionParameter {
  /** '' where the prototype names none. */
  readonly name: string;
  /** The type in C, such as `struct file *` or `int (*)(void *)`; `...` for variable arguments. */
  readonly type: string;
}

/** No prototype of the kernel needs more; a cycle does. */
const maxTypes = 256;

/** The parameters of a FUNC_PROTO. */
export function renderParameters(types: BtfTypes, proto: number): FunctionParameter[] {
  const render = renderer(types);
  return Array.from({ length: types.vlen(proto) }, (_, index) => {
    const type = types.extra(proto, index * 2 + 1);
    // A last parameter without name and type stands for `...` (btf.rst, 2.2.13).
    if (type === 0) return { name: '', type: '...' };
    return { name: types.text(types.extra(proto, index * 2)), type: render(type, '') };
  });
}

/** Renders a C type around a declarator, inside out as C declarations are read. */
function renderer(types: BtfTypes): (id: number, declarator: string) => string {
  let budget = maxTypes;

  const render = (id: number, declarator: string): string => {
    budget -= 1;
    if (budget < 0) throw malformed('a function prototype has no end');
    switch (types.kind(id)) {
      case kinds.ptr:
        return renderPointer(types.sizeOrType(id), declarator);
      case kinds.array:
        return render(types.extra(id, 0), `${declarator}[${types.extra(id, 2)}]`);
      case kinds.funcProto:
        return render(types.sizeOrType(id), `${declarator}(${renderProto(id)})`);
      case kinds.const:
        return qualify('const', types.sizeOrType(id), declarator);
      case kinds.volatile:
        return qualify('volatile', types.sizeOrType(id), declarator);
      case kinds.restrict:
        return qualify('restrict', types.sizeOrType(id), declarator);
      case kinds.typeTag:
        return render(types.sizeOrType(id), declarator);
      default:
        return join(specifier(types, id), declarator);
    }
  };

  const renderPointer = (pointee: number, declarator: string): string => {
    const kind = types.kind(pointee);
    const binds = kind === kinds.array || kind === kinds.funcProto;
    return render(pointee, binds ? `(*${declarator})` : `*${declarator}`);
  };

  const renderProto = (proto: number): string => {
    const parameters: string[] = [];
    for (let index = 0; index < types.vlen(proto); index += 1) {
      const type = types.extra(proto, index * 2 + 1);
      parameters.push(type === 0 ? '...' : render(type, ''));
    }
    return parameters.length === 0 ? 'void' : parameters.join(', ');
  };

  /** A qualifier of a pointer stands to the right of its star, any other before the type. */
  const qualify = (word: string, type: number, declarator: string): string =>
    types.kind(type) === kinds.ptr
      ? render(type, join(word, declarator))
      : `${word} ${render(type, declarator)}`;

  return render;
}

const join = (left: string, declarator: string): string =>
  declarator === '' || declarator.startsWith('[') ? `${left}${declarator}` : `${left} ${declarator}`;

function specifier(types: BtfTypes, id: number): string {
  const name = (): string => types.name(id) || '(anonymous)';
  switch (types.kind(id)) {
    case kinds.void:
      return 'void';
    case kinds.int:
    case kinds.float:
    case kinds.typedef:
      return name();
    case kinds.struct:
      return `struct ${name()}`;
    case kinds.union:
      return `union ${name()}`;
    case kinds.enum:
    case kinds.enum64:
      return `enum ${name()}`;
    case kinds.fwd:
      return `${types.kindFlag(id) ? 'union' : 'struct'} ${name()}`;
    default:
      throw malformed(`type ${id} of kind ${types.kind(id)} is not a C type`);
  }
}
