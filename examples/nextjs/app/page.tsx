import { readSession } from '../lib/session'
import { addView, logIn, logOut } from './actions'

export default async function Page() {
  const session = await readSession()
  if (session === null) {
    return (
      <form action={logIn}>
        <label>
          Name <input name="user" required />
        </label>
        <button>Log in</button>
      </form>
    )
  }
  return (
    <>
      <p>
        {session.user}: {session.views} views
      </p>
      <form action={addView}>
        <button>Add a view</button>
      </form>
      <form action={logOut}>
        <button>Log out</button>
      </form>
    </>
  )
}
