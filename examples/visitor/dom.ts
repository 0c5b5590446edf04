/** Finding and filling what examples/visitor.html declares. Text only ever becomes text nodes. */
import { avatarColour, initials } from './format'

type Constructor<Type extends Element> = new () => Type

/** The element with this id. Throws where page and script do not fit together. */
export function element<Type extends Element>(id: string, type: Constructor<Type>): Type {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`The page has no ${type.name} #${id}`)
}

/** The first match inside `root`. Throws where there is none. */
export function within<Type extends Element>(
  root: ParentNode,
  selector: string,
  type: Constructor<Type>,
): Type {
  const found = root.querySelector(selector)
  if (found instanceof type) return found
  throw new Error(`There is no ${type.name} ${selector}`)
}

export function copyTemplate(id: string): DocumentFragment {
  return document.importNode(element(id, HTMLTemplateElement).content, true)
}

/** Avoids writing what stands there already, which would lose a selection. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

export function fillAvatar(target: HTMLElement, name: string, isBot = false): void {
  target.className = isBot ? 'avatar bot' : `avatar colour-${avatarColour(name)}`
  if (!isBot) return setText(target, initials(name))
  if (!target.firstElementChild) target.replaceChildren(icon('i-bot'))
}

function icon(symbol: string): SVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  const use = document.createElementNS(SVG, 'use')
  use.setAttribute('href', `#${symbol}`)
  svg.setAttribute('class', 'icon')
  svg.append(use)
  return svg
}

const SVG = 'http://www.w3.org/2000/svg'
const LINK = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'])/

/** Text with its web addresses as links. */
export function linkified(text: string): (string | HTMLAnchorElement)[] {
  return text.split(LINK).map((part, index) => {
    if (index % 2 === 0) return part
    const link = document.createElement('a')
    link.href = part
    link.textContent = part
    link.target = '_blank'
    link.rel = 'noopener noreferrer'
    return link
  })
}
